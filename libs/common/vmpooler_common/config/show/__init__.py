"""Settings as text: the table of all of them, and values without their secrets."""
