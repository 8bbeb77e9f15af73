"""Waits until the services answer and the pools are full, prints the welcome, and stays until it is ended.

python -m tools.runner.announce --manager=4568 --api=4567 [POOL]
"""

import argparse
import signal
import time

import httpx

PAUSE_SECONDS = 0.1
LONGEST_WAIT_FOR_VMS = 10.0
"""Seconds; a pool that can't be filled doesn't hold the welcome back for longer."""


def main() -> None:
    """Wait, print, and wait for the signal that ends it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--api", type=int, required=True)
    parser.add_argument("--manager", type=int, required=True)
    parser.add_argument("pool", nargs="?")
    options = parser.parse_args()
    api = f"http://127.0.0.1:{options.api}"
    for url in (api, f"http://127.0.0.1:{options.manager}"):
        while not _is_healthy(url):
            time.sleep(PAUSE_SECONDS)
    end = time.monotonic() + LONGEST_WAIT_FOR_VMS
    while (capacity := _capacity(api)) is not None and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
    print(_text(api, options.pool, capacity), flush=True)
    signal.pause()


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthcheck", trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _capacity(api: str) -> tuple[int, int] | None:
    """Return how many VMs are ready of how many; None when all are, or when the API doesn't tell."""
    try:
        answer = httpx.get(f"{api}/api/v3/status", params={"view": "capacity"}, trust_env=False)
        capacity = answer.raise_for_status().json()["capacity"]
        ready, wanted = int(capacity["current"]), int(capacity["total"])
    except (httpx.HTTPError, KeyError, TypeError, ValueError):
        return None
    return (ready, wanted) if ready < wanted else None


def _text(api: str, pool: str | None, capacity: tuple[int, int] | None) -> str:
    lines = [
        "vmpooler is running. Ctrl-C stops it; the next start keeps its VMs.",
        f"  dashboard    {api}/",
        f"  all routes   {api}/docs",
    ]
    if pool is not None:
        lines.append(f"  get a VM     curl -X POST {api}/api/v3/vm/{pool}")
        lines.append(f"  return it    curl -X DELETE {api}/api/v3/vm/HOSTNAME")
    if capacity is not None:
        lines.append("  so far       {} of {} VMs are ready".format(*capacity))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
