"""What a setting is: its type, its unit, its documentation."""
