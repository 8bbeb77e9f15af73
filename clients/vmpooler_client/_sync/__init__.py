"""The client for threads, made from `_async` by `tools/sync_client.py`, but for `io`."""
