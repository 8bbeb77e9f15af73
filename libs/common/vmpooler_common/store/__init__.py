"""The shared state in Redis: the only package that imports redis.

Every change is one Lua script (see `lua/`), every read one round trip. `keys` holds the schema.
"""
