"""One VM: its description, its changes and its tasks."""
