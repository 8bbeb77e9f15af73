"""What the client is made of: the same for threads as for asyncio, and nothing of the services."""

import re
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.project import ROOT
from tools import sync_client

SERVICES_ONLY = {
    "redis",
    "hiredis",
    "fastapi",
    "starlette",
    "uvicorn",
    "uvloop",
    "structlog",
    "prometheus-client",
}


def test_the_client_for_threads_is_the_one_for_asyncio() -> None:
    folder = ROOT / "clients" / "vmpooler_client" / "_sync"
    made = sync_client.modules()
    assert {path.name: path.read_text() for path in folder.glob("*.py") if path.name in made} == made
    assert {path.name for path in folder.glob("*.py")} == set(made) | sync_client.BY_HAND


def test_who_installs_the_client_installs_no_service() -> None:
    needed: set[str] = set()
    new = {("vmpooler", "client")}
    while new:
        name, extra = new.pop()
        needed.add(name)
        for line in requires(name) or []:
            requirement = Requirement(line)
            other = canonicalize_name(requirement.name)
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            new |= {(other, "")} - {(known, "") for known in needed}
    assert {"click", "httpx", "pydantic", "rich"} <= needed
    assert needed.isdisjoint(SERVICES_ONLY)


def test_every_module_but_io_is_free_of_asyncio_and_threads() -> None:
    for path in (ROOT / "clients" / "vmpooler_client").rglob("*.py"):
        if path.name != "io.py":
            assert not re.search(r"^(import|from) (asyncio|threading)", path.read_text(), re.MULTILINE), path
