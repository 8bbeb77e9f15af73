"""What works, though perhaps not as it was meant, is pointed out; what has no effect yet is listed."""

from typing import Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text, with_pool, with_pools, with_value
from vmpooler_common.config import Problem


def warnings(document: dict[str, Any]) -> tuple[Problem, ...]:
    return load_text(document).warnings


def test_a_complete_document_has_no_warning() -> None:
    assert warnings(COMPLETE) == ()


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        (("confg",), "config"),
        (("config", "redy_ttl"), "ready_ttl"),
        (("redis", "dlq_ttl"), "config.dlq_ttl"),
        (("redis", "conect_timeout"), "connect_timeout"),
        (("pools", 0, "tempalte"), "template"),
        (("pools", 0, "vm_lifetime"), "config.vm_lifetime"),
        (("providers", "dummy", "file_name"), "filename"),
        (("providers", "vsphere", "datacentre"), "datacenter"),
        (("dns_configs", "lab", "domian"), "domain"),
        (("config", "health_thresholds", "pending_queue"), "pending_queue_max"),
        (("rate_limits", "vm_creations"), "vm_creation"),
    ],
)
def test_an_unknown_key_is_a_warning_that_names_the_nearest_one(
    path: tuple[str | int, ...], nearest: str
) -> None:
    (warning,) = warnings(with_value(path, 1))
    assert warning.place == "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path).lstrip(".")
    assert warning.found.endswith(f"did you mean {nearest}?")


@pytest.mark.parametrize(
    "path", [("providers", "cloud", "zone"), ("providers", "cloud", "deep"), ("pools", 0, "machine_type")]
)
def test_keys_for_plug_ins_are_taken_as_they_are(path: tuple[str | int, ...]) -> None:
    document = with_value(path, {"anything": [1, None]})
    document["providers"].setdefault("cloud", {"provider_class": "some-cloud"})
    document["pools"][0]["provider"] = "cloud"
    assert warnings(document) == ()


def test_keys_for_a_dns_plug_in_are_taken_as_they_are() -> None:
    document = with_value(
        ("dns_configs", "lab"), {"dns_class": "other", "domain": "lab.example", "zone": "a"}
    )
    loaded = load_text(document)
    assert loaded.warnings == ()
    assert dict(loaded.settings.dns_configs["lab"].options) == {"zone": "a"}


def test_a_lifetime_without_end_is_a_warning() -> None:
    (warning,) = warnings(with_value(("config", "vm_lifetime"), 0))
    assert warning.place == "config.vm_lifetime"


def test_a_lifetime_with_token_that_changes_nothing_is_a_warning() -> None:
    (warning,) = warnings(with_value(("config", "vm_lifetime_auth"), 0))
    assert warning.place == "config.vm_lifetime_auth"


def test_pools_without_dns_plugin_are_one_warning_that_says_what_is_taken() -> None:
    (warning,) = warnings(with_pools({"dns_plugin": None}, {"name": "b", "dns_plugin": None}))
    assert warning.place == "pools[0].dns_plugin"
    assert "1 other pool" in warning.found
    assert "lab" in warning.found


def test_pools_with_short_names_are_a_warning() -> None:
    (warning,) = warnings(with_pool(dns_plugin=None) | {"dns_configs": {}})
    assert "short names" in warning.found


def test_a_domain_that_is_missing_is_a_warning() -> None:
    (warning,) = warnings(with_value(("dns_configs", "lab"), {"dns_class": "dynamic-dns"}))
    assert warning.place == "dns_configs.lab"


def test_no_pools_at_all_are_a_warning() -> None:
    (warning,) = warnings({key: value for key, value in COMPLETE.items() if key != "pools"})
    assert warning.place == "pools"


def test_a_longest_delay_below_the_first_is_a_warning_and_raised() -> None:
    loaded = load_text(with_pool(check_loop_delay_min=100))
    assert [warning.place for warning in loaded.warnings] == ["pools[0].check_loop_delay_min"]
    (pool,) = loaded.settings.pools
    assert pool.check_loop_delay_max == pool.check_loop_delay_min


@pytest.mark.parametrize(
    ("sections", "chosen", "beaten"),
    [
        ([], "prometheus", []),
        (["prometheus"], "prometheus", []),
        (["graphite", "prometheus"], "graphite", ["prometheus"]),
        (["statsd", "graphite", "prometheus"], "statsd", ["graphite", "prometheus"]),
    ],
)
def test_of_several_metrics_backends_one_wins(sections: list[str], chosen: str, beaten: list[str]) -> None:
    loaded = load_text(
        COMPLETE | {name: {} if name == "prometheus" else {"server": "s"} for name in sections}
    )
    assert loaded.settings.metrics_backend == chosen
    assert [warning.place for warning in loaded.warnings] == beaten


def test_settings_without_effect_so_far_are_listed_sorted_with_their_places() -> None:
    document = with_pools({"timeout_notification": 1}, {"name": "b", "timeout_notification": 2})
    document["tracing"] = {"enabled": True}
    document["config"]["adaptive_timeout_enabled"] = True
    waiting = load_text(document).not_in_effect
    assert [(each.setting, each.places) for each in waiting] == [
        ("config.adaptive_timeout_enabled", ("config.adaptive_timeout_enabled",)),
        ("pools[].timeout_notification", ("pools[0].timeout_notification", "pools[1].timeout_notification")),
        ("tracing.enabled", ("tracing.enabled",)),
    ]
    assert [str(each) for each in waiting] == [
        "config.adaptive_timeout_enabled",
        "pools[].timeout_notification (2 times)",
        "tracing.enabled",
    ]


def test_a_setting_without_effect_is_listed_when_a_variable_sets_it() -> None:
    (waiting,) = load_text(COMPLETE, {"VMPOOLER_TRACING_ENABLED": "true"}).not_in_effect
    assert waiting.setting == "tracing.enabled"


def test_a_setting_of_null_is_not_set() -> None:
    assert load_text(with_value(("config", "adaptive_timeout_enabled"), None)).not_in_effect == ()
