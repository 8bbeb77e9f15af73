"""What runs beside the requests as long as the service does."""
