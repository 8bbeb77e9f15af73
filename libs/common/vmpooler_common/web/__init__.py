"""What the HTTP servers of both services share."""
