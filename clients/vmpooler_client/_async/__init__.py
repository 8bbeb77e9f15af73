"""The client for asyncio. `_sync` is made from this folder by `tools/sync_client.py`, but for `io`."""
