"""The work on one VM: creating, inspecting, destroying it."""
