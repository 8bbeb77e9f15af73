"""Every variable sets its key, with the type that the key has."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text, mistakes, with_value
from vmpooler_common.config.declare.field import setting_of
from vmpooler_common.config.sections.catalogue import single_settings

# Variable, its text, where the settings hold it, and what they hold then. In 3.x's order.
CASES: list[tuple[str, str, str, Any]] = [
    ("VMPOOLER_HOST", "::", "listen.hosts", ("::",)),
    ("VMPOOLER_PORT", "81", "listen.port", 81),
    ("PORT", "80", "listen.port", 80),
    ("SITE_NAME", "Labor", "general.site_name", "Labor"),
    ("LOGFILE", "/dev/stdout", "general.logfile", "/dev/stdout"),
    ("PREFIX", "lab-", "general.prefix", "lab-"),
    ("CLONE_TARGET", "red", "general.clone_target", "red"),
    ("TASK_LIMIT", "012", "general.task_limit", 12),
    ("ONDEMAND_CLONE_LIMIT", "3", "general.ondemand_clone_limit", 3),
    ("MAX_ONDEMAND_INSTANCES_PER_REQUEST", "4", "general.max_ondemand_instances_per_request", 4),
    ("ONDEMAND_REQUEST_TTL", "6", "general.ondemand_request_ttl", timedelta(minutes=6)),
    ("TIMEOUT", "7", "general.timeout", timedelta(minutes=7)),
    ("TIMEOUT_NOTIFICATION", "8", "general.timeout_notification", timedelta(minutes=8)),
    ("VM_CHECKTIME", "9", "general.vm_checktime", timedelta(minutes=9)),
    ("VM_LIFETIME", "10", "vm_lifetime", timedelta(hours=10)),
    ("VM_LIFETIME_AUTH", "11", "lifetime_with_token", timedelta(hours=11)),
    ("MAX_LIFETIME_UPPER_LIMIT", "12", "general.max_lifetime_upper_limit", timedelta(hours=12)),
    ("READY_TTL", "13", "general.ready_ttl", timedelta(minutes=13)),
    ("PURGE_UNCONFIGURED_RESOURCES", "yes", "general.purge_unconfigured_resources", True),
    ("PURGE_UNCONFIGURED_FOLDERS", "on", "general.purge_unconfigured_resources", True),
    ("EXPERIMENTAL_FEATURES", "TRUE", "general.experimental_features", True),
    ("USAGE_STATS", "1", "general.usage_stats", True),
    ("REQUEST_LOGGER", "true", "general.request_logger", True),
    ("MAX_TRIES", "14", "vsphere_defaults.max_tries", 14),
    ("RETRY_FACTOR", "15", "vsphere_defaults.retry_factor", timedelta(seconds=15)),
    ("MIGRATION_LIMIT", "16", "general.migration_limit", 16),
    ("CREATE_FOLDERS", "true", "vsphere_defaults.create_folders", True),
    ("CREATE_LINKED_CLONES", "off", "vsphere_defaults.create_linked_clones", False),
    ("CREATE_TEMPLATE_DELTA_DISKS", "on", "vsphere_defaults.create_template_delta_disks", True),
    ("REDIS_SERVER", "redis.lab.example", "redis.server", "redis.lab.example"),
    ("REDIS_PORT", "17", "redis.port", 17),
    ("REDIS_DATA_TTL", "18", "redis.data_ttl", timedelta(hours=18)),
    ("REDIS_CONNECTION_POOL_SIZE", "19", "redis.connection_pool_size", 19),
    ("REDIS_CONNECTION_POOL_TIMEOUT", "2.5", "redis.connection_pool_timeout", timedelta(seconds=2.5)),
    ("REDIS_RECONNECT_ATTEMPTS", "20", "redis.reconnect_attempts", 20),
    (
        "REDIS_RECONNECT_ATTEMPTS",
        "[0, 0.5]",
        "redis.reconnect_attempts",
        (timedelta(), timedelta(seconds=0.5)),
    ),
    ("REDIS_TLS", "yes", "redis.tls", True),
    ("REDIS_TLS_CA_FILE", __file__, "redis.tls_ca_file", __file__),
    ("STATSD_SERVER", "statsd.lab.example", "statsd.server", "statsd.lab.example"),
    ("GRAPHITE_SERVER", "graphite.lab.example", "graphite.server", "graphite.lab.example"),
    ("VMPOOLER_TRACING_ENABLED", "true", "tracing.enabled", True),
    ("VMPOOLER_TRACING_JAEGER_HOST", "http://traces", "tracing.jaeger_host", "http://traces"),
]

DIRECTORY = {"host": "other", "base": "dc=other", "user_object": "cn"}
LDAP = {"provider": "ldap", "ldap": DIRECTORY}

# The same for variables that need a section to be there.
WITHIN: list[tuple[str, str, str, Any, dict[str, Any]]] = [
    ("STATSD_PREFIX", "lab", "statsd.prefix", "lab", {"statsd": {"server": "s"}}),
    ("STATSD_PORT", "21", "statsd.port", 21, {"statsd": {"server": "s"}}),
    ("GRAPHITE_PREFIX", "lab", "graphite.prefix", "lab", {"graphite": {"server": "s"}}),
    ("GRAPHITE_PORT", "22", "graphite.port", 22, {"graphite": {"server": "s"}}),
    ("AUTH_PROVIDER", "ldap", "auth.provider", "ldap", {"auth": {"ldap": DIRECTORY}}),
    ("LDAP_HOST", "ldap", "auth.ldap.host", "ldap", {"auth": LDAP}),
    ("LDAP_PORT", "23", "auth.ldap.port", 23, {"auth": LDAP}),
    (
        "LDAP_BASE",
        "ou=all people,dc=x",
        "auth.ldap.base",
        ("ou=all people,dc=x",),
        {"auth": LDAP},
    ),
    ("LDAP_USER_OBJECT", "uid", "auth.ldap.user_object", ("uid",), {"auth": LDAP}),
]


def value_at(settings: Any, path: str) -> Any:
    for name in path.split("."):
        settings = getattr(settings, name)
    return settings


@pytest.mark.parametrize(("variable", "text", "path", "value"), CASES)
def test_a_variable_sets_its_key(variable: str, text: str, path: str, value: Any) -> None:
    assert value_at(load_text(COMPLETE, {variable: text}).settings, path) == value


@pytest.mark.parametrize(("variable", "text", "path", "value", "section"), WITHIN)
def test_a_variable_completes_its_section(
    variable: str, text: str, path: str, value: Any, section: dict[str, Any]
) -> None:
    assert value_at(load_text(COMPLETE | section, {variable: text}).settings, path) == value


@pytest.mark.parametrize("variable", ["REDIS_PASSWORD", "REDIS_URL"])
def test_a_secret_variable_sets_its_key(variable: str) -> None:
    redis = load_text(COMPLETE, {variable: "redis://lab"}).settings.redis
    secret = redis.url if variable == "REDIS_URL" else redis.password
    assert secret is not None
    assert secret.get_secret_value() == "redis://lab"


def test_every_variable_is_tested_above() -> None:
    declared = {variable for _, field in single_settings() for variable in setting_of(field).environment}
    tested = {case[0] for case in CASES} | {case[0] for case in WITHIN}
    assert declared - tested == {"REDIS_PASSWORD", "REDIS_URL", "EXTRA_CONFIG"}


@pytest.mark.parametrize("word", ["false", "False", "no", "NO", "off", "0", ""])
def test_words_for_false_are_false(word: str) -> None:
    document = with_value(("config", "experimental_features"), True)
    assert (
        load_text(document, {"EXPERIMENTAL_FEATURES": word}).settings.general.experimental_features is False
    )


@pytest.mark.parametrize("word", ["maybe", "2", "-", "truee"])
def test_other_words_are_a_mistake(word: str) -> None:
    (problem,) = mistakes(COMPLETE, {"EXPERIMENTAL_FEATURES": word})
    assert problem.source == "environment variable EXPERIMENTAL_FEATURES"
    assert problem.place == "config.experimental_features"


@pytest.mark.parametrize("text", ["5m", "0x10", "1_000", "five", "1.5", "-1"])
def test_a_number_with_anything_around_it_is_a_mistake(text: str) -> None:
    assert [problem.place for problem in mistakes(COMPLETE, {"TASK_LIMIT": text})] == ["config.task_limit"]


@pytest.mark.parametrize("text", ["ten", "[1, two]", "{}", "-1", "[-1]", "true", "[[1]]", "1.5"])
def test_reconnect_attempts_are_a_number_or_a_list_of_numbers(text: str) -> None:
    assert len(mistakes(COMPLETE, {"REDIS_RECONNECT_ATTEMPTS": text})) == 1


def test_an_empty_variable_sets_no_number() -> None:
    document = with_value(("config", "task_limit"), 5)
    assert load_text(document, {"TASK_LIMIT": ""}).settings.general.task_limit == 5


def test_an_empty_variable_sets_a_text_that_may_be_empty() -> None:
    document = with_value(("config", "prefix"), "lab-")
    assert load_text(document, {"PREFIX": ""}).settings.general.prefix == ""


def test_the_new_name_of_a_variable_beats_the_old_one() -> None:
    environ = {"PURGE_UNCONFIGURED_RESOURCES": "false", "PURGE_UNCONFIGURED_FOLDERS": "true"}
    assert load_text(COMPLETE, environ).settings.general.purge_unconfigured_resources is False


def test_the_old_name_of_a_variable_is_a_warning() -> None:
    (warning,) = load_text(COMPLETE, {"PURGE_UNCONFIGURED_FOLDERS": "true"}).warnings
    assert "PURGE_UNCONFIGURED_RESOURCES" in warning.found


def test_an_unknown_variable_is_a_warning_that_names_the_nearest() -> None:
    (warning,) = load_text(COMPLETE, {"VMPOOLER_CONFIG_FIEL": "x"}).warnings
    assert warning.source == "environment variable VMPOOLER_CONFIG_FIEL"
    assert "VMPOOLER_CONFIG_FILE" in warning.found


def test_variables_of_kubernetes_services_are_no_mistakes() -> None:
    environ = {
        "VMPOOLER_SERVICE_HOST": "10.0.0.1",
        "VMPOOLER_SERVICE_PORT_HTTP": "80",
        "VMPOOLER_PORT_4567_TCP_ADDR": "10.0.0.1",
        "VMPOOLER_WEB_PORT": "tcp://10.0.0.1:80",
    }
    assert load_text(COMPLETE, environ).warnings == ()


def test_a_port_that_kubernetes_gives_is_ignored_with_a_warning() -> None:
    environ = {"VMPOOLER_PORT": "tcp://10.0.0.1:4567", "PORT": "80", "REDIS_PORT": "tcp://10.0.0.2:6379"}
    loaded = load_text(COMPLETE, environ)
    assert (loaded.settings.listen.port, loaded.settings.redis.port) == (80, 6379)
    assert [warning.place for warning in loaded.warnings] == ["listen.port", "redis.port"]
