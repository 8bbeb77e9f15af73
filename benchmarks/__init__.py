"""What the services cost, measured on real processes and a real Redis; `python -m benchmarks --help`.

Costs are CPU seconds of a service's process and round trips to Redis, which a busy machine changes
little; wall-clock is measured only where it is what users feel.
"""
