"""The printed table holds every setting with all that is declared of it."""

import re

from vmpooler_common.config.declare.field import setting_of, type_of
from vmpooler_common.config.sections.access import RateLimits
from vmpooler_common.config.sections.catalogue import settings_groups
from vmpooler_common.config.show.table import WIDTH, table_of_settings


def entry(name: str) -> str:
    """Return the table's lines about one setting as one line."""
    lines = table_of_settings().splitlines()
    first = next(number for number, line in enumerate(lines) if line.split()[:1] == [name])
    rest = []
    for line in lines[first + 1 :]:
        if not line.startswith("    "):
            break
        rest.append(line.strip())
    return " ".join([*lines[first].split(), *rest])


def test_no_line_is_longer_than_promised() -> None:
    assert max(map(len, table_of_settings().splitlines())) <= WIDTH


def test_a_setting_is_shown_with_type_unit_default_variable_and_meaning() -> None:
    assert entry("config.ready_ttl") == (
        "config.ready_ttl number [minutes]; default 60; READY_TTL A ready VM is replaced after this time"
    )


def test_a_setting_without_effect_so_far_is_marked() -> None:
    assert "not in effect yet" in entry("config.purge_enabled")
    assert "not in effect yet" not in entry("config.task_limit")


def test_every_setting_is_shown_once() -> None:
    names = [
        line.split()[0] for line in table_of_settings().splitlines() if line[:2] == "  " and line[2:3] != " "
    ]
    settings = [name for group in settings_groups() for name, _ in group.settings()]
    assert len(settings) > 150
    assert [name for name in names if name.startswith(("config.", "redis.", "pools[]."))] == [
        name for name in settings if name.startswith(("config.", "redis.", "pools[]."))
    ]
    assert set(settings) <= set(names)


def test_every_setting_has_a_type_and_a_meaning() -> None:
    for group in settings_groups():
        for name, field in group.settings():
            setting = setting_of(field)
            assert setting.meaning, name
            assert setting.type_name or type_of(field), name


def test_durations_show_their_default_in_their_unit() -> None:
    assert "number [hours]; default 168;" in entry("redis.data_ttl")
    assert "number [seconds]; default 1 " in entry("redis.wait_timeout")


def test_a_category_of_rate_limits_shows_its_own_default() -> None:
    limits = {name: entry(f"rate_limits.{name}.limit") for name in RateLimits.model_fields}
    defaults = {name: re.findall(r"default (\d+)", text) for name, text in limits.items()}
    assert defaults == {
        "vm_creation": ["20"],
        "vm_deletion": ["50"],
        "logins": ["60"],
        "authenticated": ["500"],
        "dashboard": ["600"],
        "global_per_ip": ["100"],
    }


def test_what_all_providers_have_is_not_repeated_for_each_class() -> None:
    lines = [line.split()[:1] for line in table_of_settings().splitlines()]
    assert lines.count(["providers.*.paused"]) == 1
    assert lines.count(["providers.*.connection_pool_size"]) == 2
