"""The loop of a pool: observe, plan, execute, sleep."""
