"""A configuration file as a tree whose nodes know where they stand."""
