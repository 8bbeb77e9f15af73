"""Every event shows up in the exposition, and nothing that isn't declared does."""

from inspect import isfunction

import pytest

import vmpooler_api.metrics
import vmpooler_manager.metrics
from tests.unit.metrics import golden_files
from tests.unit.metrics.golden_files import golden_file, transcript
from tests.unit.metrics.verb import Reporter
from tests.unit.metrics.verbs import VERBS
from vmpooler_api.metrics import ApiMetrics
from vmpooler_common.metrics.backends.null import NullBackend
from vmpooler_common.metrics.backends.prometheus import PrometheusBackend
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.metrics.catalogues.http import HttpMetrics
from vmpooler_common.metrics.describe import declarations
from vmpooler_manager.metrics import ManagerMetrics

CATALOGUES = {"api": vmpooler_api.metrics.CATALOGUES, "manager": vmpooler_manager.metrics.CATALOGUES}
services = pytest.mark.parametrize("service", ["api", "manager"])


@services
def test_each_event_changes_the_lines_of_the_exposition_that_the_golden_file_says(service: str) -> None:
    assert transcript(service) == golden_file(service).read_text(), golden_files.__doc__


@services
def test_every_verb_of_every_catalogue_is_in_the_golden_file(service: str) -> None:
    reporter = Reporter(service)
    tested = {
        (type(reporter.subsystem(verb.subsystem)), verb.name) for verb in VERBS if verb.service == service
    }
    verbs = {
        (catalogue, name)
        for catalogue in CATALOGUES[service]
        for name, member in vars(catalogue).items()
        if isfunction(member) and not name.startswith("_") and name != "forget"
    }
    assert tested == verbs


@services
def test_what_a_service_emits_is_what_its_catalogues_declare(service: str) -> None:
    reporter = Reporter(service)
    for verb in VERBS:
        if verb.service == service:
            verb.tell(reporter)
    emitted = {line.split()[2] for line in reporter.lines() if line.startswith("# TYPE")}
    declared = {
        f"vmpooler_{declaration.name}"
        for catalogue in CATALOGUES[service]
        for declaration in declarations(catalogue)
    }
    assert emitted == declared


@services
def test_every_metric_but_those_of_http_says_which_installation_it_is(service: str) -> None:
    without = {
        declaration.name
        for catalogue in CATALOGUES[service]
        for declaration in declarations(catalogue)
        if not declaration.carries_instance
    }
    assert without == {declaration.name for declaration in declarations(HttpMetrics)}


@services
def test_both_services_can_report_to_nowhere(service: str) -> None:
    metrics = (
        ApiMetrics(NullBackend(), names=())
        if service == "api"
        else ManagerMetrics(NullBackend(), counts_use=False)
    )
    metrics.redis.answered()
    metrics.http.answered(200, "GET", path="/vm", seconds=0.1)


def test_a_checkout_from_an_unconfigured_name_is_counted_as_unknown() -> None:
    reporter = Reporter("api")
    for number in range(100):
        reporter.subsystem("checkouts").empty(f"scan-{number}")
    series = [line for line in reporter.lines() if line.startswith("vmpooler_checkouts_total")]
    assert series == ['vmpooler_checkouts_total{pool="unknown",result="empty",vmpooler_instance="ci"} 100.0']


def test_a_forgotten_pool_keeps_no_levels() -> None:
    reporter = Reporter("manager")
    for verb in VERBS:
        if verb.subsystem == "pools":
            verb.tell(reporter)
    assert isinstance(reporter.metrics, ManagerMetrics)
    reporter.metrics.pools.forget("debian")
    levels = ("vmpooler_pool_vms", "vmpooler_pool_size", "vmpooler_pool_broken", "vmpooler_foreign_vms")
    assert [line for line in reporter.lines() if line.startswith(levels)] == []


def test_forgetting_a_pool_leaves_the_others() -> None:
    reporter = Reporter("manager")
    assert isinstance(reporter.metrics, ManagerMetrics)
    reporter.metrics.pools.broken("ours")
    reporter.metrics.pools.broken("theirs")
    reporter.metrics.pools.forget("theirs")
    assert 'vmpooler_pool_broken{pool="ours",vmpooler_instance="ci"} 1.0' in reporter.lines()


def test_forgetting_a_pool_that_was_never_counted_changes_nothing() -> None:
    reporter = Reporter("manager")
    before = reporter.lines()
    assert isinstance(reporter.metrics, ManagerMetrics)
    reporter.metrics.pools.forget("debian")
    assert reporter.lines() == before


def test_a_pool_that_comes_back_is_counted_again() -> None:
    reporter = Reporter("manager")
    assert isinstance(reporter.metrics, ManagerMetrics)
    reporter.metrics.pools.broken("debian")
    reporter.metrics.pools.forget("debian")
    reporter.metrics.pools.mended("debian")
    assert 'vmpooler_pool_broken{pool="debian",vmpooler_instance="ci"} 0.0' in reporter.lines()


def test_a_pool_with_dots_in_its_name_keeps_it() -> None:
    reporter = Reporter("manager")
    reporter.subsystem("pools").broken("el.9.x")
    assert 'vmpooler_pool_broken{pool="el.9.x",vmpooler_instance="ci"} 1.0' in reporter.lines()


def test_free_connections_are_those_of_the_pool_that_are_not_taken() -> None:
    reporter = Reporter("api")
    reporter.connections.resized(10)
    reporter.connections.changed(in_use=3, waiting=0)
    labels = 'owner="api",type="redis_connection_pool",vmpooler_instance="ci"'
    assert f"vmpooler_connection_available{{{labels}}} 7.0" in reporter.lines()


def test_free_connections_follow_the_size_of_the_pool() -> None:
    reporter = Reporter("api")
    reporter.connections.resized(10)
    reporter.connections.changed(in_use=3, waiting=0)
    reporter.connections.resized(5)
    labels = 'owner="api",type="redis_connection_pool",vmpooler_instance="ci"'
    assert f"vmpooler_connection_available{{{labels}}} 2.0" in reporter.lines()


def test_two_connection_pools_share_the_metrics_under_their_own_names() -> None:
    reporter = Reporter("manager")
    other = ConnectionMetrics(reporter.backend, "provider_connection_pool", "vcenter-2")
    reporter.connections.resized(1)
    other.resized(2)
    sizes = [line for line in reporter.lines() if line.startswith("vmpooler_connpool_size{")]
    assert len(sizes) == 2


def test_the_prefix_starts_every_name() -> None:
    reporter = Reporter("api")
    ApiMetrics(PrometheusBackend(reporter.registry, prefix="lab", instance="ci"), names=())
    named = [line.split()[2] for line in reporter.lines() if line.startswith("# TYPE")]
    assert {name.split("_")[0] for name in named} == {"vmpooler", "lab"}
