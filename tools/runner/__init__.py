"""`make run`: an embedded Redis server, the manager and the API on this machine, to try and to develop."""
