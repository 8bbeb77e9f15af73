"""From files and environment variables to checked sections."""
