"""What every verb of the store is built on: connection, scripts, keys, errors, events."""
