"""On-demand requests, and the backlog that they are for their pools."""
