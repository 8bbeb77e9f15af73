"""What every route shares: reading requests, refusing them, describing them."""
