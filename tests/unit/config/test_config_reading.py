"""Documents of 3.x mean what their authors meant: symbols, words for booleans, old spellings."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text, mistakes, with_pool, with_value
from vmpooler_common.config import Settings

SYMBOLS = """
---
:config:
  :site_name: lab
  create_linked_clones: false
:dns_configs:
  :lab:
    :domain: 'lab.example'
:auth:
  provider: ldap
  :ldap:
    host: ldap.lab.example
    encryption:
      :method: :simple_tls
      :tls_options:
        :ssl_version: 'TLSv1_2'
    base: 'ou=all users,dc=lab'
    user_object: [uid, cn]
    service_account_hash:
      :user_dn: 'cn=pooler'
      :password: 'change-me'
:rate_limits:
  :vm_creation:
    :limit: 60
    :period: 30
:providers:
  :vsphere-east:
    provider_class: vsphere
    ":server": vc.lab.example
  :dummy:
:pools:
  - :name: linux
    alias: tux
    provider: vsphere-east
    template: t/linux
    size: '010'
    create_linked_clone: false
    snapshot_mainMem_iowait: 5
"""


@pytest.fixture
def symbols() -> Settings:
    return load_text(SYMBOLS).settings


def test_colons_are_taken_off_keys_at_every_depth(symbols: Settings) -> None:
    assert symbols.general.site_name == "lab"
    assert symbols.pools[0].domain == "lab.example"
    assert symbols.providers["vsphere-east"].options["server"] == "vc.lab.example"
    assert symbols.rate_limits.vm_creation.limit == 60
    assert symbols.rate_limits.vm_creation.period == timedelta(seconds=30)


def test_a_symbol_is_understood_where_words_are_chosen(symbols: Settings) -> None:
    assert symbols.auth is not None
    assert symbols.auth.ldap is not None
    assert symbols.auth.ldap.encryption.method == "simple_tls"


def test_a_text_in_the_directory_s_settings_is_one_value(symbols: Settings) -> None:
    assert symbols.auth is not None
    assert symbols.auth.ldap is not None
    assert symbols.auth.ldap.base == ("ou=all users,dc=lab",)
    assert symbols.auth.ldap.user_object == ("uid", "cn")


def test_false_is_false(symbols: Settings) -> None:
    assert symbols.vsphere_defaults.create_linked_clones is False
    assert symbols.pools[0].options["create_linked_clone"] is False


def test_digits_in_quotes_are_a_decimal_number(symbols: Settings) -> None:
    assert symbols.pools[0].size == 10


def test_a_number_is_a_fine_text(symbols: Settings) -> None:
    assert symbols.pools[0].options["snapshot_mainMem_iowait"] == "5"


def test_a_provider_without_a_body_is_an_empty_one(symbols: Settings) -> None:
    assert symbols.providers["dummy"].provider_class == "dummy"
    assert dict(symbols.providers["dummy"].options) == {}


@pytest.mark.parametrize(
    ("written", "size"), [("5", 5), ("010", 10), ('"5"', 5), ("'08'", 8), ("+5", 5), ('" 5 "', 5)]
)
def test_whole_numbers_are_decimal_however_they_are_written(written: str, size: int) -> None:
    document = f"pools: [{{name: a, provider: dummy, template: t, size: {written}}}]"
    assert load_text(document).settings.pools[0].size == size


@pytest.mark.parametrize(
    "written", ["0x10", "1_000", "1:30", "5.0", "2026-01-01", "1e1", "true", "~", "null", ".inf", ".nan"]
)
def test_other_spellings_are_no_whole_numbers(written: str) -> None:
    (problem,) = mistakes(f"pools: [{{name: a, provider: dummy, template: t, size: {written}}}]")
    assert problem.place == "pools[0].size"


@pytest.mark.parametrize("written", ["010", "1_000", "1:30", "2026-01-01", "0x10", "7", "'1.10'", "'yes'"])
def test_names_stay_as_they_are_written(written: str) -> None:
    document = f"pools: [{{name: a, provider: dummy, size: 1, template: {written}}}]"
    assert load_text(document).settings.pools[0].template == written.strip("'")


@pytest.mark.parametrize("written", ["1.10", "yes", "off", "true"])
def test_a_name_that_yaml_would_change_is_a_mistake(written: str) -> None:
    (problem,) = mistakes(f"pools: [{{name: a, provider: dummy, size: 1, template: {written}}}]")
    assert problem.place == "pools[0].template"
    assert "quotes" in problem.expected


@pytest.mark.parametrize("written", ["true", "yes", "on", "'true'", "'On'", "1", ":true"])
def test_words_for_true_are_true(written: str) -> None:
    document = f"config: {{usage_stats: {written.removeprefix(':')}}}"
    assert load_text(document).settings.general.usage_stats is True


def test_anchors_and_merge_keys_are_understood() -> None:
    document = """
common: &common {size: 2, template: t, provider: dummy}
pools:
- {<<: *common, name: a}
- {name: b, <<: [{size: 3}, *common]}
"""
    assert [(pool.size, pool.template) for pool in load_text(document).settings.pools] == [(2, "t"), (3, "t")]


OLD_SPELLINGS: list[tuple[dict[str, Any], str, str, Any]] = [
    ({"redis": {"redis_connection_pool_size": 7}}, "redis.redis_connection_pool_size", "size", 7),
    (
        {"redis": {"redis_connection_pool_timeout": 7}},
        "redis.redis_connection_pool_timeout",
        "timeout",
        timedelta(seconds=7),
    ),
]


@pytest.mark.parametrize(("section", "place", "suffix", "value"), OLD_SPELLINGS)
def test_misnomers_of_the_redis_pool_are_understood(
    section: dict[str, Any], place: str, suffix: str, value: Any
) -> None:
    loaded = load_text(COMPLETE | section)
    assert getattr(loaded.settings.redis, f"connection_pool_{suffix}") == value
    assert [warning.place for warning in loaded.warnings] == [place]


def test_the_right_spelling_beats_the_old_one() -> None:
    redis = {"redis_connection_pool_size": 7, "connection_pool_size": 8}
    loaded = load_text(COMPLETE | {"redis": redis})
    assert loaded.settings.redis.connection_pool_size == 8
    assert "ignored" in loaded.warnings[0].found


def test_a_section_vsphere_at_the_top_becomes_a_provider() -> None:
    loaded = load_text(COMPLETE | {"vsphere": {"server": "vc"}})
    assert loaded.settings.providers["vsphere"].options["server"] == "vc"
    assert [warning.place for warning in loaded.warnings] == ["vsphere"]


def test_a_section_vsphere_at_the_top_is_ignored_beside_the_provider() -> None:
    document = COMPLETE | {"vsphere": {"server": "old"}, "providers": {"vsphere": {"server": "new"}}}
    loaded = load_text(document)
    assert loaded.settings.providers["vsphere"].options["server"] == "new"
    assert [warning.place for warning in loaded.warnings] == ["vsphere"]


def test_old_names_of_purging_are_understood() -> None:
    dummy = {"folder_whitelist": ["a"], "purge_unconfigured_folders": True}
    document = COMPLETE | {"config": {"purge_unconfigured_folders": "yes"}, "providers": {"dummy": dummy}}
    loaded = load_text(document)
    assert loaded.settings.general.purge_unconfigured_resources is True
    assert dict(loaded.settings.providers["dummy"].options) == {
        "resources_allowlist": ("a",),
        "purge_unconfigured_resources": True,
    }
    assert len(loaded.warnings) == 3


def test_the_pool_key_pool_is_ignored_with_a_warning() -> None:
    loaded = load_text(with_pool(pool="x"))
    assert "pool" not in loaded.settings.pools[0].options
    assert [warning.place for warning in loaded.warnings] == ["pools[0].pool"]


def test_an_empty_document_has_no_pools() -> None:
    assert load_text("").settings.pools == ()


def test_a_value_of_null_leaves_the_default() -> None:
    assert load_text(with_value(("config", "task_limit"), None)).settings.general.task_limit == 10
