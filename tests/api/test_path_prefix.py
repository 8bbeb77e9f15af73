"""The API below a path of a proxy, which takes the path off or doesn't."""

import httpx
import pytest

from tests.api.conftest import WithApi

FORWARDED = {"X-Forwarded-Prefix": "/vmpooler/"}


@pytest.mark.parametrize(
    ("config", "headers"),
    [
        ({"root_path": "/vmpooler"}, {}),
        ({"trusted_proxies": "127.0.0.1"}, FORWARDED),
        ({"trusted_proxies": "127.0.0.1", "root_path": "/other"}, FORWARDED),
    ],
    ids=["configured", "forwarded", "forwarded and configured"],
)
async def test_links_lead_below_the_prefix_and_paths_may_have_it(
    with_api: WithApi, config: dict[str, str], headers: dict[str, str]
) -> None:
    async with with_api(config=config | {"rate_limiting_enabled": True}) as api:

        async def get(path: str) -> httpx.Response:
            return await api.client.get(path, headers=headers)

        for prefix in ("", "/vmpooler"):
            assert (await get(f"{prefix}/")).headers["Location"] == "/vmpooler/dashboard/"
            page = (await get(f"{prefix}/docs/")).text
            for link in ("openapi.json", "docs/files/swagger-ui.css", "docs/files/swagger-ui-bundle.js"):
                assert f"/vmpooler/{link}" in page
                assert (await get(f"{prefix}/{link}")).status_code == 200
            document = (await get(f"{prefix}/openapi.json")).json()
            assert document["servers"] == [{"url": "/vmpooler"}]
            for path in ("/dashboard/", "/dashboard/stats/vmpooler/status", "/api/v3/vm", "/vm"):
                assert (await get(prefix + path)).status_code == 200
            old = await get(f"{prefix}/api/v1/vm")
            documentation = old.headers["Link"].partition(">")[0].lstrip("<")
            assert httpx.URL(f"http://x/vmpooler{'/api/v1/vm'}").join(documentation).path == "/vmpooler/docs"
            assert "X-RateLimit-Limit" not in (await get(f"{prefix}/healthcheck")).headers
        assert (await get("/vmpooler")).headers["Location"] == "/vmpooler/dashboard/"
        assert (await get("/vmpoolers/docs")).status_code == 404
        labels = {"code": "200", "method": "get", "path": "/api/v3/vm"}
        assert api.registry.get_sample_value("vmpooler_http_requests_total", labels) == 2


async def test_a_prefix_is_believed_of_trusted_proxies_only_and_if_it_is_one(with_api: WithApi) -> None:
    none = ("//evil.test", "/a'b", "/api", "vmpooler", "/" + "a" * 300)
    for trusted, prefixes in (("10.0.0.1", ("/vmpooler",)), ("127.0.0.1", none)):
        async with with_api(config={"trusted_proxies": trusted}) as api:
            for prefix in prefixes:
                answer = await api.client.get("/", headers={"X-Forwarded-Prefix": prefix})
                assert answer.headers["Location"] == "/dashboard/"
