"""What comes in through streams: on-demand requests and tasks."""
