"""The dashboard's page, also in a real browser, and what limits don't apply to."""

import asyncio
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import POOLS, Api, Reach, open_api
from tests.conformance.over_http import over_http
from tests.store.dataset import ask
from tests.support.documents import pooler_document
from tests.support.needs import needs_program
from tests.support.redis_server import RedisServer

STATISTICS = [f"/dashboard/stats/vmpooler/{name}" for name in ("pool", "running", "status")]
ON = {"rate_limiting_enabled": True}
TWO_PER_MINUTE = {"rate_limits": {"global_per_ip": {"limit": 2, "period": 60}}}


@pytest.fixture
def reach() -> Reach:
    """Let a browser reach the app."""
    return over_http


async def opened(client: httpx.AsyncClient, profile: Path, *, path: str = "/dashboard/") -> str:
    """Open the page in a browser and give what it shows after some seconds, as a document."""
    browser = needs_program("chromium", package="chromium")
    process = await asyncio.create_subprocess_exec(
        str(browser),
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"),
        *(f"--user-data-dir={profile}", "--virtual-time-budget=3000", f"{client.base_url}{path}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        document, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return document.decode()


async def test_a_browser_shows_the_documentation_under_its_policy(with_api: WithApi, tmp_path: Path) -> None:
    async with with_api() as api:
        answer = await api.client.get("/docs")
        shown = await opened(api.client, tmp_path / "profile", path="/docs")
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "connect-src 'self'", "frame-ancestors 'self'"} <= set(policy)
    assert "/api/v3/ondemandvm" in shown
    assert shown.count('class="opblock ') > 30


async def test_a_browser_shows_the_numbers_and_each_pool(with_api: WithApi, tmp_path: Path) -> None:
    pools = {"pool": 4, "empty": 0, "short": 10}
    async with with_api(pools=pools, config={"site_name": "a <i>lab</i>"}) as api:
        await api.fleet.ready("pool", "a", "b", "c")
        await api.fleet.ready("short", "d")
        await api.fleet.running("empty", "e", "f")
        await api.fleet.store.views.mark_broken("short", "no <b>disk</b>")
        await api.fleet.managed(*pools)
        shown = await opened(api.client, tmp_path / "profile")
    figures = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", shown))
    assert len(figures) == 9
    assert (figures["ready"], figures["running"], figures["of the capacity"]) == ("4", "2", "29 %")
    assert re.findall(r'class="name">(.*?)</div>', shown) == list(pools)
    assert re.findall(r'class="amount">(.*?)</div>', shown) == ["75 % (3/4)", "(0/0)", "10 % (1/10)"]
    assert re.findall(r'<li class="(\w+)">', shown) == ["good", "good", "bad"]
    assert "broken: no &lt;b&gt;disk&lt;/b&gt;" in shown
    assert "<h1>a &lt;i&gt;lab&lt;/i&gt;</h1>" in shown
    assert "1 of 3 pools need attention: 1 broken." in shown


async def test_a_browser_tells_that_there_are_no_numbers(
    own_redis_server: RedisServer, redis_prefix: str, tmp_path: Path
) -> None:
    document = pooler_document(redis_url=own_redis_server.url, prefix=redis_prefix, pools=POOLS)
    async with open_api(document, tmp_path, reach=over_http) as api:
        own_redis_server.kill()
        shown = await opened(api.client, tmp_path / "profile")
    assert "No numbers: the service answered 503. Asking again in" in shown


async def test_a_browser_shows_that_redis_takes_no_writes_and_nothing_green(
    with_api: WithApi, tmp_path: Path
) -> None:
    async with with_api(pools={"full": 1, "half": 2}) as api:
        await api.fleet.ready("full", "a")
        await api.fleet.ready("half", "b")
        await ask(api.fleet.client, "CONFIG", "SET", "maxmemory", "1")
        try:
            await api.client.post("/api/v3/vm/full")
            shown = await opened(api.client, tmp_path / "profile")
        finally:
            await ask(api.fleet.client, "CONFIG", "SET", "maxmemory", "0")
    (banner,) = re.findall(r'<div id="halt" role="alert">(.*?)</div>', shown)
    assert "Redis takes no writes: no VM can be handed out or returned." in banner
    assert "raise its maxmemory" in banner
    assert re.findall(r'<li class="(\w+)">', shown) == ["halted", "halted"]


async def test_the_page_needs_nothing_else(client: httpx.AsyncClient) -> None:
    page = (await client.get("/dashboard")).text
    assert re.findall(r"""(?:src|href)="(?!data:)([^"]*)""", page) == []
    assert "@import" not in page
    assert "url(" not in page


async def test_the_page_may_only_do_what_it_was_made_for(client: httpx.AsyncClient) -> None:
    answer = await client.get("/dashboard")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    for tag in ("script", "style"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = b64encode(sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"


async def test_the_status_of_the_dashboard_is_the_status(api: Api) -> None:
    own, other = [(await api.client.get(path)).json() for path in (STATISTICS[2], "/api/v3/status")]
    for status in (own, other):
        del status["status"]["uptime"]
    assert own == other


async def test_an_open_dashboard_uses_up_nothing_of_its_visitors_limit(with_api: WithApi) -> None:
    async with with_api(config=ON, sections=TWO_PER_MINUTE) as api:
        for path in [*STATISTICS, "/dashboard", "/dashboard/"] * 2:
            answer = await api.client.get(f"{path}?history=1")
            assert answer.status_code == 200
            assert answer.headers.get("X-RateLimit-Limit", "600") == "600"
        statuses = [(await api.client.get("/api/v3/vm")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


async def test_the_numbers_of_the_dashboard_have_a_limit_of_their_own(with_api: WithApi) -> None:
    async with with_api(config=ON, sections={"rate_limits": {"dashboard": {"limit": 2}}}) as api:
        answers = [await api.client.get(path) for path in STATISTICS]
        assert (await api.client.get("/dashboard")).status_code == 200
        assert api.metric("rate_limit_refusals_total", category="dashboard") == 1
    assert [answer.status_code for answer in answers] == [200, 200, 429]
