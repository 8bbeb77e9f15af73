"""Waits until the services answer, then prints where to find what, and stays until it is ended.

python -m tools.runner.announce manager=4568 api=4567
"""

import signal
import sys
import time
from collections.abc import Mapping

import httpx

PAUSE_SECONDS = 0.1


def main() -> None:
    """Wait, print, and wait for the signal that ends it."""
    services = dict(argument.split("=") for argument in sys.argv[1:])
    urls = {name: f"http://127.0.0.1:{port}" for name, port in services.items()}
    for url in urls.values():
        while not _is_healthy(url):
            time.sleep(PAUSE_SECONDS)
    print(_text(urls), flush=True)
    signal.pause()


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthcheck", trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _text(urls: Mapping[str, str]) -> str:
    api, manager = urls["api"], urls["manager"]
    return "\n".join(
        (
            "vmpooler is running; Ctrl-C ends it, and the next start goes on with the same VMs",
            f"  dashboard  {api}/dashboard/",
            f"  API        {api}/api/v3/vm (names), {api}/api/v3/status, {api}/docs (all routes)",
            f"  metrics    {api}/prometheus, {manager}/prometheus",
            f"  take one of a pool's VMs    curl -X POST {api}/api/v3/vm/debian-12-x86_64",
            f"  give it back                curl -X DELETE {api}/api/v3/vm/HOSTNAME",
        )
    )


if __name__ == "__main__":
    main()
