"""What the services get: effective values, candidates and weights, frozen."""

import dataclasses
from datetime import timedelta
from typing import Any

import pydantic
import pytest

from tests.unit.config.documents import COMPLETE, load_text, mistakes, with_pool, with_pools, with_value
from vmpooler_common.config import Options, PoolSettings, Settings
from vmpooler_common.model.features import Feature


def only_pool(**keys: Any) -> PoolSettings:
    return load_text(with_pool(**keys)).settings.pools[0]


@pytest.mark.parametrize(
    ("config", "installation"),
    [({}, "vmpooler"), ({"site_name": "lab"}, "lab"), ({"site_name": "lab", "installation": "one"}, "one")],
)
def test_the_installation_is_called_after_the_site(config: dict[str, Any], installation: str) -> None:
    assert load_text(COMPLETE | {"config": config}).settings.installation == installation


@pytest.mark.parametrize(
    ("config", "lifetime", "with_token"),
    [
        ({}, 24, 24),
        ({"vm_lifetime": 12}, 12, 12),
        ({"vm_lifetime": 12, "vm_lifetime_auth": 48}, 12, 48),
        ({"vm_lifetime": 0}, None, None),
        ({"vm_lifetime": -1, "vm_lifetime_auth": 5}, None, 5),
        ({"vm_lifetime": 3, "vm_lifetime_auth": 0}, 3, 3),
    ],
)
def test_lifetimes_are_resolved(config: dict[str, Any], lifetime: int | None, with_token: int | None) -> None:
    settings = load_text(COMPLETE | {"config": config}).settings
    hours = [None if number is None else timedelta(hours=number) for number in (lifetime, with_token)]
    assert [settings.vm_lifetime, settings.lifetime_with_token] == hours


def test_a_pool_takes_what_it_lacks_from_config() -> None:
    config = {
        "clone_target": "red",
        "timeout": 20,
        "ready_ttl": 30,
        "check_loop_delay_min": 2,
        "check_loop_delay_max": 40,
        "check_loop_delay_decay": 3,
    }
    pool = load_text(COMPLETE | {"config": config}).settings.pools[0]
    assert (pool.clone_target, pool.timeout, pool.ready_ttl) == (
        "red",
        timedelta(minutes=20),
        timedelta(minutes=30),
    )
    assert (pool.check_loop_delay_min, pool.check_loop_delay_max, pool.check_loop_delay_decay) == (
        timedelta(seconds=2),
        timedelta(seconds=40),
        3,
    )


@pytest.mark.parametrize(
    ("alias", "aliases", "shown"),
    [
        (None, (), None),
        ("one", ("one",), "one"),
        (["one"], ("one",), ("one",)),
        (["one", "linux", "one", "two"], ("one", "two"), ("one", "linux", "one", "two")),
        ([], (), ()),
        (7, ("7",), "7"),
    ],
)
def test_aliases_are_unique_and_shown_as_configured(alias: Any, aliases: tuple[str, ...], shown: Any) -> None:
    pool = only_pool(alias=alias)
    assert (pool.aliases, pool.alias) == (aliases, shown)


@pytest.mark.parametrize(
    ("dns_configs", "plugin", "domain"),
    [
        ({"a": {"domain": "a.example"}, "b": {"domain": "b.example"}}, "b", "b.example"),
        ({"a": {"domain": "a.example"}}, None, "a.example"),
        ({"a": {"domain": "a.example"}, "b": {"domain": "b.example"}}, None, ""),
        ({}, None, ""),
        ({"a": {}}, "a", ""),
    ],
)
def test_a_pool_s_domain_is_that_of_its_dns_entry(
    dns_configs: dict[str, Any], plugin: str | None, domain: str
) -> None:
    document = with_pool(dns_plugin=plugin) | {"dns_configs": dns_configs}
    assert load_text(document).settings.pools[0].domain == domain


@pytest.mark.parametrize(
    ("pool", "provider", "paused"), [(False, False, False), (True, False, True), (False, True, True)]
)
def test_a_pool_is_paused_with_its_provider(pool: bool, provider: bool, paused: bool) -> None:
    document = with_pool(paused=pool) | {"providers": {"dummy": {"paused": provider}}}
    assert load_text(document).settings.pools[0].paused is paused


@pytest.mark.parametrize("server", ["", None])
@pytest.mark.parametrize("section", ["statsd", "graphite"])
def test_an_empty_server_of_metrics_means_none(section: str, server: str | None) -> None:
    loaded = load_text(COMPLETE | {section: {"server": server, "port": 1}})
    assert loaded.settings.metrics_backend == "prometheus"
    assert getattr(loaded.settings, section) is None
    assert loaded.warnings == ()
    text = load_text(COMPLETE | {section: {"server": server}}, {f"{section.upper()}_SERVER": "lab"})
    assert text.settings.metrics_backend == section


def test_an_address_of_ipv6_may_stand_in_brackets() -> None:
    for written in ("[2001:db8::7]", "2001:db8::7"):
        assert load_text(COMPLETE | {"redis": {"server": written}}).settings.redis.server == "2001:db8::7"


def test_a_pool_needs_no_entry_for_the_dummy_provider() -> None:
    document = {key: value for key, value in COMPLETE.items() if key != "providers"}
    settings = load_text(document).settings
    assert settings.pools[0].provider == "dummy"
    assert settings.providers["dummy"].provider_class == "dummy"


@pytest.mark.parametrize(
    ("provider", "config", "seconds"),
    [
        ({}, {}, 60),
        ({"operation_timeout": 5}, {}, 5),
        ({"vsphere_timeout": 6}, {}, 6),
        ({"operation_timeout": 5, "vsphere_timeout": 6}, {}, 5),
        ({}, {"vsphere_timeout": 7}, 7),
        ({"vsphere_timeout": 6}, {"vsphere_timeout": 7}, 6),
    ],
)
def test_vsphere_s_time_out_has_an_old_name(
    provider: dict[str, Any], config: dict[str, Any], seconds: int
) -> None:
    settings = load_text(COMPLETE | {"providers": {"vsphere": provider}, "config": config}).settings
    assert settings.providers["vsphere"].operation_timeout == timedelta(seconds=seconds)
    assert "vsphere_timeout" not in settings.providers["vsphere"].options


def test_a_driver_gets_what_config_holds_for_all_its_providers_unless_its_own_entry_says_else() -> None:
    config = {"create_folders": True, "max_tries": 7, "retry_factor": 4}
    entry = {"provider_class": "vSphere", "max_tries": 2}
    providers = {"one": {"provider_class": "vsphere"}, "other": entry, "dummy": {}}
    settings = load_text(COMPLETE | {"config": config, "providers": providers}).settings
    one, other = settings.providers["one"].options, settings.providers["other"].options
    assert (one["create_folders"], one["max_tries"], one["retry_factor"]) == (True, 7, timedelta(seconds=4))
    assert (other["max_tries"], other["utilization_limit"]) == (2, 90)
    assert dict(settings.providers["dummy"].options) == {}


@pytest.mark.parametrize(
    ("written", "check"),
    [("none", "none"), ("tcp", "tcp:22"), ("tcp:3389", "tcp:3389"), (None, "none")],
)
def test_a_pool_says_how_its_vms_are_checked(written: str | None, check: str) -> None:
    pool = load_text(with_pool(ready_check=written)).settings.pools[0]
    assert str(pool.ready_check) == check


@pytest.mark.parametrize("wrong", ["ssh", "tcp:0", "tcp:65536", "none:22", "tcp:ssh", 22])
def test_any_other_check_is_a_mistake(wrong: str | int) -> None:
    assert "tcp:PORT" in str(mistakes(with_pool(ready_check=wrong)))


def test_the_driver_declares_the_check_of_pools_that_name_none_and_its_features() -> None:
    document = COMPLETE | {"providers": {"vsphere": {}, "dummy": {}, "unknown": {}}}
    document["pools"] = [
        {"name": name, "template": "t", "size": 0, "provider": name} for name in document["providers"]
    ]
    settings = load_text(document).settings
    assert {pool.name: str(pool.ready_check) for pool in settings.pools} == {
        "vsphere": "tcp:22",
        "dummy": "none",
        "unknown": "tcp:22",
    }
    assert Feature.DISKS in (settings.providers["dummy"].features or ())
    assert settings.providers["unknown"].features is None


@pytest.mark.parametrize(
    ("config", "pool", "checks"),
    [(None, None, True), (False, None, False), (False, True, True), (True, False, False)],
)
def test_a_pool_may_say_for_itself_whether_host_names_are_checked(
    config: bool | None, pool: bool | None, checks: bool
) -> None:
    document = with_pool(check_hostname_for_mismatch=pool)
    document |= {"config": {"check_ready_vm_hostname_for_mismatch": config}}
    assert load_text(document).settings.pools[0].checks_hostname is checks


def test_other_providers_ignore_vsphere_s_time_out() -> None:
    settings = load_text(with_value(("config", "vsphere_timeout"), 7)).settings
    assert settings.providers["dummy"].operation_timeout == timedelta(seconds=60)


def test_a_driver_gets_its_keys_as_plain_numbers_and_texts() -> None:
    dummy = {"createvm_max_time": "6", "filename": "cloud.sqlite3", "seed": 5, "paused": True}
    options = load_text(COMPLETE | {"providers": {"dummy": dummy}}).settings.providers["dummy"].options
    assert dict(options) == {"createvm_max_time": 6, "filename": "cloud.sqlite3", "seed": 5}


def test_a_driver_gets_secrets_in_plain_text() -> None:
    document = COMPLETE | {"providers": {"vsphere": {"password": "secret"}, "other": {"key": "secret"}}}
    providers = load_text(document).settings.providers
    assert providers["vsphere"].options["password"] == "secret"
    assert providers["other"].options["key"] == "secret"


def test_options_are_frozen_to_the_bottom() -> None:
    options = Options({"a": {"b": [1, {"c": 2}]}})
    assert isinstance(options["a"]["b"], tuple)
    assert options["a"]["b"][1] == Options({"c": 2})
    assert not hasattr(options, "__setitem__")


def test_settings_are_frozen() -> None:
    settings = load_text(COMPLETE).settings
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.installation = "other"  # type: ignore[misc]
    with pytest.raises(pydantic.ValidationError):
        settings.general.task_limit = 5  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.providers["other"] = settings.providers["dummy"]  # type: ignore[index]
    with pytest.raises(TypeError):
        settings.general.backend_weight["red"] = 1  # type: ignore[index]


def test_tags_are_filtered_by_ready_expressions() -> None:
    settings = load_text(with_value(("tagfilter", "url"), "(.*)\\/")).settings
    assert settings.tagfilter["url"].match("lab.example/x") is not None


def settings_of(*pools: dict[str, Any], weights: dict[str, Any] | None = None) -> Settings:
    return load_text(with_pools(*pools) | {"config": {"backend_weight": weights or {}}}).settings


POOLS: tuple[dict[str, Any], ...] = (
    {"name": "red", "alias": ["any", "both"], "clone_target": "r"},
    {"name": "both", "alias": ["any", "both"], "clone_target": "b"},
    {"name": "green", "alias": "any", "clone_target": "g"},
)


@pytest.mark.parametrize(
    ("name", "candidates"),
    [
        ("green", ["green"]),
        ("any", ["red", "both", "green"]),
        ("both", ["both", "red"]),
        ("nothing", []),
    ],
)
def test_candidates_are_the_pool_itself_then_the_pools_of_that_alias_each_once(
    name: str, candidates: list[str]
) -> None:
    assert [pool.name for pool in settings_of(*POOLS).candidates(name)] == candidates


def test_the_names_are_those_of_pools_and_aliases() -> None:
    assert settings_of(*POOLS).names == {"red", "both", "green", "any"}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({}, None),
        ({"r": 60, "b": 40}, None),
        ({"r": 60, "b": 40, "g": 0.5}, (60, 40, 0.5)),
        ({"r": 60, "b": 0, "g": 0}, (60, 0, 0)),
        ({"r": 0, "b": 0, "g": 0}, None),
    ],
)
def test_weights_count_when_every_candidate_has_one(
    weights: dict[str, Any], expected: tuple[float, ...] | None
) -> None:
    settings = settings_of(*POOLS, weights=weights)
    assert settings.weights(settings.candidates("any")) == expected


def test_a_weight_is_looked_up_by_the_effective_clone_target() -> None:
    document = with_pool(alias="any") | {"config": {"clone_target": "red", "backend_weight": {"red": 3}}}
    settings = load_text(document).settings
    assert settings.weights(settings.candidates("any")) == (3,)


def test_no_candidates_have_no_weights() -> None:
    assert settings_of(*POOLS).weights(()) is None


def test_a_rate_limit_keeps_the_default_of_a_key_that_is_not_given() -> None:
    limits = load_text(
        COMPLETE | {"rate_limits": {"vm_creation": {"limit": 5}, "vm_deletion": {"period": 10}}}
    ).settings.rate_limits
    assert [
        (each.limit, each.period.total_seconds())
        for each in (limits.vm_creation, limits.vm_deletion, limits.authenticated, limits.global_per_ip)
    ] == [(5, 60), (50, 10), (500, 60), (100, 60)]


@pytest.mark.parametrize(
    ("config", "top", "limited"),
    [(None, None, False), (True, None, True), (True, False, False), (None, True, False)],
)
def test_rates_are_limited_when_the_section_says_so_and_the_top_level_does_not_forbid_it(
    config: bool | None, top: bool | None, limited: bool
) -> None:
    document = with_value(("config", "rate_limiting_enabled"), config) | {"rate_limiting_enabled": top}
    assert load_text(document).settings.limits_rates is limited


def test_trusted_proxies_are_addresses_and_networks() -> None:
    trusted = load_text(
        with_value(("config", "trusted_proxies"), "10.0.0.7, 2001:db8::1/32")
    ).settings.general
    assert [str(network) for network in trusted.trusted_proxies] == ["10.0.0.7/32", "2001:db8::/32"]
