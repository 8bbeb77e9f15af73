"""The versions of the API before v3, which old clients still speak."""
