"""Every mistake is reported with its place, and all of them together."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text, mistakes, with_pool, with_pools, with_value
from vmpooler_common.config import ConfigurationError, load

BAD_VALUES: list[tuple[tuple[str | int, ...], Any]] = [
    (("config", "task_limit"), 0),
    (("config", "task_limit"), "ten"),
    (("config", "task_limit"), True),
    (("config", "task_limit"), 1.5),
    (("config", "task_limit"), [1]),
    (("config", "max_vms_per_request"), 0),
    (("config", "max_vms_per_request"), 1001),
    (("config", "timeout"), 0),
    (("config", "timeout"), "15m"),
    (("config", "vm_checktime"), -1),
    (("config", "vm_checktime"), 0),
    (("config", "vm_checktime"), 0.0001),
    (("config", "vm_lifetime"), "for ever"),
    (("config", "vm_lifetime"), 10**12),
    (("config", "vm_lifetime"), -(10**17)),
    (("config", "ready_ttl"), 0),
    (("config", "ready_ttl"), -5),
    (("config", "ready_ttl"), float("inf")),
    (("config", "check_loop_delay_min"), 0),
    (("config", "check_loop_delay_max"), 0),
    (("config", "check_loop_delay_decay"), 1),
    (("config", "check_loop_delay_decay"), 0.5),
    (("config", "site_name"), {"a": 1}),
    (("config", "site_name"), True),
    (("config", "site_name"), 1.1),
    (("config", "installation"), ""),
    (("config", "installation"), "two\nlines"),
    (("config", "log_level"), "loud"),
    (("config", "log_format"), "xml"),
    (("config", "prefix"), "-lab"),
    (("config", "prefix"), "lab_"),
    (("config", "prefix"), "lab."),
    (("config", "prefix"), "l" * 49),
    (("config", "allowed_tags"), "one"),
    (("config", "backend_weight"), ["red"]),
    (("redis", "port"), 0),
    (("redis", "port"), 65536),
    (("redis", "server"), ""),
    (("redis", "prefix"), "vmpooler"),
    (("redis", "prefix"), "{}"),
    (("redis", "prefix"), "{a}{b}"),
    (("redis", "prefix"), "a{b}"),
    (("redis", "wait_replicas"), -1),
    (("redis", "wait_timeout"), 0),
    (("redis", "connect_timeout"), 0),
    (("redis", "timeout"), 0),
    (("redis", "connection_pool_size"), 0),
    (("redis", "reconnect_attempts"), [0, "soon"]),
    (("redis", "server"), "lab:6379"),
    (("redis", "server"), "redis://lab"),
    (("redis", "tls_ca_file"), "/no/such/file.pem"),
    (("statsd", "server"), "lab:8125"),
    (("graphite", "server"), "http://lab/"),
    (("graphs", "server"), "ftp://lab"),
    (("graphs", "server"), "lab:x"),
    (("graphs", "server"), "http://["),
    (("redis", "url"), "redis://lab?ssl_cert_reqs=none"),
    (("redis", "url"), "rediss://lab?ssl_cert_req=none"),
    (("redis", "url"), "rediss://lab?ssl_cert_reqs=some"),
    (("redis", "url"), "redis://lab?protocol=3"),
    (("redis", "url"), "redis://lab?dbb=1"),
    (("redis", "url"), "http://lab"),
    (("redis", "url"), "redis://"),
    (("redis", "url"), "redis://lab:port"),
    (("redis", "url"), "unix://"),
    (("redis", "url"), "redis://lab:6379/x"),
    (("redis", "url"), "rediss://lab/1/2"),
    (("redis", "url"), "redis://lab/-1"),
    (("redis", "url"), "unix:///run/redis.sock?db=x"),
    (("prometheus", "prometheus_prefix"), "1lab"),
    (("prometheus", "prometheus_endpoint"), "prometheus"),
    (("auth", "provider"), "nobody"),
    (("rate_limits", "vm_creation"), [1]),
    (("dns_configs", "lab", "domain"), "lab example"),
    (("dns_configs", "lab", "domain"), "-lab.example"),
    (("dns_configs", "lab", "domain"), ".example"),
    (("dns_configs", "lab", "domain"), "example."),
    (("providers", "dummy", "hang_percent"), 101),
    (("providers", "dummy", "createvm_max_time"), -1),
    (("providers", "dummy", "connection_pool_timeout"), 0),
    (("providers", "dummy", "operation_timeout"), 0),
    (("providers", "dummy", "paused"), "often"),
    (("providers", "other", "operation_timeout"), 0),
    (("providers", "dummy"), 5),
    (("tagfilter", "url"), "("),
    (("tagfilter", "url"), "a{99999999999999}"),
]


def dotted(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


@pytest.mark.parametrize(("path", "value"), BAD_VALUES, ids=str)
def test_a_wrong_value_is_a_mistake_at_its_place(path: tuple[str | int, ...], value: Any) -> None:
    document = with_value(path, value)
    (problem,) = mistakes(document)
    assert problem.place == dotted(path)
    assert problem.source == "environment variable VMPOOLER_CONFIG"
    assert problem.line is not None
    assert problem.expected


@pytest.mark.parametrize("hours", [876_001, 99_999_999_999, 10**17, 876_000.5])
def test_a_time_that_is_too_long_is_told_the_longest(hours: float) -> None:
    (problem,) = mistakes(with_value(("config", "vm_lifetime"), hours))
    assert problem.expected == "at most 876000 hours"


def test_a_database_of_redis_that_is_no_number_is_told_so() -> None:
    (problem,) = mistakes(COMPLETE, {"REDIS_URL": "redis://lab:6379/x"})
    assert problem.expected == "a whole number for the database, such as redis://host:6379/0"


@pytest.mark.parametrize(
    ("variable", "value", "place"),
    [
        ("LDAP_HOST", "directory", "auth.provider"),
        ("STATSD_PREFIX", "lab", "statsd.server"),
        ("GRAPHITE_PORT", "2003", "graphite.server"),
    ],
)
def test_what_a_variable_s_section_lacks_is_missing_in_that_section(
    variable: str, value: str, place: str
) -> None:
    (problem,) = mistakes(COMPLETE, {variable: value})
    assert problem.place == place
    assert problem.source == f"environment variable {variable}"


BAD_POOLS: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, "name"),
    ({"size": None}, "size"),
    ({"template": None}, "template"),
    ({"size": -1}, "size"),
    ({"size": "few"}, "size"),
    ({"template": ""}, "template"),
    ({"ready_ttl": 0}, "ready_ttl"),
    ({"timeout": 0}, "timeout"),
    ({"check_loop_delay_decay": 1.0}, "check_loop_delay_decay"),
    ({"provider": "vsphere"}, "provider"),
    ({"dns_plugin": "other"}, "dns_plugin"),
    ({"alias": {"a": 1}}, "alias[0]"),
    ({"alias": ["fine", None]}, "alias[1]"),
    ({"paused": "perhaps"}, "paused"),
    *(({"name": name}, "name") for name in ("ok", "ready", "request_id", "message", "domain", "job_id")),
    *(({"alias": name}, "alias") for name in ("ok", "ready", "request_id", "message", "domain", "job_id")),
    *(({"name": f"a{character}b"}, "name") for character in '+/,: \t\n?#%"<>\\^`{|}\x00ä'),
    *(({"alias": ["fine", f"a{character}b"]}, "alias[1]") for character in "+/,: \t\n?#%"),
    ({"name": ".."}, "name"),
    ({"alias": "."}, "alias"),
]


@pytest.mark.parametrize(("keys", "place"), BAD_POOLS, ids=str)
def test_a_wrong_pool_is_a_mistake_at_its_place(keys: dict[str, Any], place: str) -> None:
    (problem,) = mistakes(with_pool(**keys))
    # An alias that is a text has no items, so that the key itself is the place.
    assert problem.place in {f"pools[0].{place}", f"pools[0].{place.removesuffix('[0]')}"}
    assert problem.expected


def test_a_weight_below_zero_is_a_mistake_at_its_place() -> None:
    document = with_value(("config", "backend_weight"), {"red": 1, "blue": -1, "green": "many"})
    assert [problem.place for problem in mistakes(document)] == [
        "config.backend_weight.blue",
        "config.backend_weight.green",
    ]


def test_ready_ttl_of_nothing_is_refused_with_the_reason() -> None:
    (problem,) = mistakes(with_pool(ready_ttl=0))
    assert problem.found == "found 0"
    assert "every ready VM would be recycled at once" in problem.expected


def test_a_pool_named_twice_is_a_mistake_that_names_the_first_one() -> None:
    (problem,) = mistakes(with_pools({"name": "one"}, {"name": "two"}, {"name": "one"}))
    assert problem.place == "pools[2].name"
    assert "pools[0]" in problem.found


def test_a_number_and_its_digits_are_the_same_name() -> None:
    (problem,) = mistakes(with_pools({"name": 7}, {"name": "7"}))
    assert problem.place == "pools[1].name"


def test_an_undefined_entry_is_reported_with_those_that_are_defined() -> None:
    document = with_pool(provider="vsphere-est", dns_plugin="lap")
    document["providers"] = {"vsphere-east": {}, "vsphere-west": {}}
    provider, plugin = mistakes(document)
    assert provider.expected == "an entry of providers: dummy, vsphere-east, vsphere-west"
    assert plugin.expected == "an entry of dns_configs: lab"


@pytest.mark.parametrize("spelling", ["dummy", "Dummy", ":dummy"])
@pytest.mark.parametrize("debug", [{}, {"VMPOOLER_DEBUG": ""}, {"VMPOOLER_DEBUG": "false"}])
def test_dummy_authentication_is_refused_without_the_debug_variable(
    spelling: str, debug: dict[str, str]
) -> None:
    (problem,) = mistakes(COMPLETE | {"auth": {"provider": spelling}}, debug)
    assert problem.place == "auth.provider"
    assert "VMPOOLER_DEBUG" in problem.found


def test_dummy_authentication_from_the_environment_is_refused_as_well() -> None:
    (problem,) = mistakes(COMPLETE, {"AUTH_PROVIDER": "dummy"})
    assert problem.source == "environment variable AUTH_PROVIDER"


@pytest.mark.parametrize("debug", ["1", "true", "yes", "anything"])
def test_dummy_authentication_is_allowed_with_the_debug_variable(debug: str) -> None:
    settings = load_text(COMPLETE | {"auth": {"provider": "dummy"}}, {"VMPOOLER_DEBUG": debug}).settings
    assert settings.needs_token
    assert settings.is_debugging


@pytest.mark.parametrize("section", [None, {}, {"ldap": {"host": "ldap"}}])
def test_a_section_auth_without_a_provider_is_refused(section: Any) -> None:
    assert [problem.place for problem in mistakes(COMPLETE | {"auth": section})] == ["auth.provider"]


@pytest.mark.parametrize("section", ["statsd", "graphite"])
def test_a_metrics_backend_without_a_server_is_refused(section: str) -> None:
    assert [problem.place for problem in mistakes(COMPLETE | {section: {"port": 1}})] == [f"{section}.server"]


@pytest.mark.parametrize("proxies", ["proxy.lab.example", ["10.0.0.0/33"], [10], {"a": "10.0.0.1"}])
def test_a_trusted_proxy_that_is_no_address_is_refused(proxies: Any) -> None:
    (problem,) = mistakes(with_value(("config", "trusted_proxies"), proxies))
    assert problem.place.startswith("config.trusted_proxies")


def test_the_removed_domain_is_refused_and_the_error_says_what_to_do() -> None:
    in_document, in_variable = mistakes(with_value(("config", "domain"), "lab.example"), {"DOMAIN": ""})
    assert in_document.place == "config.domain"
    assert in_variable.source == "environment variable DOMAIN"
    assert "dns_configs" in in_document.expected
    assert "dns_configs" in in_variable.expected


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("config:\n  task_limit: 1\n  task_limit: 2\n", 3, "the key is written twice"),
        (":config:\n  a: 1\nconfig:\n  b: 2\n", 3, "found both ':config' and 'config'"),
        ("pools:\n- :name: a\n  name: b\n", 3, "found both ':name' and 'name'"),
        ("config:\n  [1, 2: 3\n", 3, ""),
        ("config: {\n", 2, ""),
        ("- 1\n- 2\n", 1, "found a list"),
        ("just text", 1, "found a text"),
        ("config: !ruby/object:Set {}\n", 1, "an object tag"),
        ("config: !!int many\n", 1, "a tag that doesn't fit its value"),
        ("a: &x [*x]\n", 1, "an anchor that contains itself"),
        ("? [1]\n: 2\n", 1, "a key without a name"),
        ("config:\n  <<: 5\n", 2, "'<<' with something else"),
        ("config:\n\tsite_name: x\n", 2, ""),
        ("config: \x07\n", 1, "a character that YAML doesn't allow"),
        ("a: 1\n---\nb: 2\n", 2, ""),
    ],
)
def test_unreadable_text_is_reported_with_its_line(text: str, line: int, found: str) -> None:
    problem = mistakes(text)[0]
    assert problem.line == line
    assert found in problem.found


@pytest.mark.parametrize(
    "text",
    [
        "[" * 2000,
        "a: " * 3 + "1",
        "a: [" * 60 + "]" * 60,
        '"\\UFFFFFFFF": 1',
        f"%YAML 1.{'9' * 5000}\n---\n",
        "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 20 if n else '1')}]" for n in range(12)),
    ],
    ids=["deep", "chained", "deep lists", "no character", "long version", "anchors that multiply"],
)
def test_text_that_troubles_parsers_is_a_mistake(text: str) -> None:
    assert len(mistakes(text)) == 1


@pytest.mark.parametrize(
    ("content", "found"),
    [(None, "can't be read: No such file or directory"), (b"\xff\xfe\xff", "bytes that are no text")],
)
def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path, content: bytes | None, found: str) -> None:
    path = tmp_path / "lab.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load(path=path, host=None, port=None, environ={}, service="api")
    (problem,) = caught.value.problems
    assert (problem.source, problem.found) == (str(path), found)
    assert caught.value.warnings == ()


@pytest.mark.parametrize(
    "section", ["config", "redis", "auth", "pools", "providers", "dns_configs", "tagfilter"]
)
def test_a_section_of_the_wrong_form_is_reported_once(section: str) -> None:
    places = [problem.place for problem in mistakes(COMPLETE | {section: "text"})]
    assert places.count(section) == 1


def test_all_mistakes_are_reported_together() -> None:
    document = {
        "config": {"ready_ttl": 0, "prefix": "_", "domain": "x"},
        "redis": {"port": "none"},
        "auth": {"provider": "dummy"},
        "tagfilter": {"url": "["},
        "providers": {"dummy": {"hang_percent": 200}},
        "dns_configs": {"lab": {"domain": "_"}},
        "pools": [
            {"name": "ok", "size": 1, "template": "t"},
            {"name": "b", "size": -1, "provider": "nowhere", "dns_plugin": "nothing"},
        ],
    }
    assert {problem.place for problem in mistakes(document, {"TASK_LIMIT": "x"})} == {
        "config.task_limit",
        "config.ready_ttl",
        "config.prefix",
        "config.domain",
        "redis.port",
        "auth.provider",
        "tagfilter.url",
        "providers.dummy.hang_percent",
        "dns_configs.lab.domain",
        "pools[0].name",
        "pools[1].size",
        "pools[1].template",
        "pools[1].provider",
        "pools[1].dns_plugin",
    }


def test_the_error_s_text_holds_each_mistake_with_source_line_and_place() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_text("pools:\n- name: a\n  size: -1\n  template: t\n  provider: dummy\n")
    assert str(caught.value) == (
        "environment variable VMPOOLER_CONFIG:3: pools[0].size: found -1; "
        "expected a whole number of 0 or more"
    )
