"""Names for statsd and Graphite: those that vmpooler 3.x has, and our own in the same manner."""

from collections import Counter

import pytest

import vmpooler_api.metrics
import vmpooler_manager.metrics
from vmpooler_api.metrics.checkout import CheckoutMetrics, DeleteMetrics
from vmpooler_common.metrics.backends.dotted_name import dotted_name
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.metrics.catalogues.http import HttpMetrics
from vmpooler_common.metrics.catalogues.redis import RedisMetrics
from vmpooler_common.metrics.declaration import Declaration, Label, counter
from vmpooler_common.metrics.describe import declarations
from vmpooler_manager.metrics.pools import PoolMetrics
from vmpooler_manager.metrics.vms import VmMetrics


@pytest.mark.parametrize(
    ("declaration", "values", "name"),
    [
        (CheckoutMetrics.CHECKOUTS, ("debian", "success"), "checkout.success.debian"),
        (CheckoutMetrics.CHECKOUTS, ("debian", "empty"), "checkout.empty.debian"),
        (CheckoutMetrics.CHECKOUTS, ("unknown", "invalid"), "checkout.invalid.unknown"),
        (DeleteMetrics.DELETES, ("success",), "delete.success"),
        (DeleteMetrics.DELETES, ("failed",), "delete.failed"),
        (PoolMetrics.VMS, ("debian", "ready"), "ready.debian"),
        (PoolMetrics.VMS, ("debian", "running"), "running.debian"),
        (PoolMetrics.CHECK_SECONDS, ("debian",), "vmpooler_performance.check_pool.debian"),
        (VmMetrics.READY_SECONDS, ("debian",), "time_to_ready_state.debian"),
        (VmMetrics.CLONE_SECONDS, ("debian",), "clone.debian"),
        (VmMetrics.DESTROY_SECONDS, ("debian",), "destroy.debian"),
        (VmMetrics.FAILURES, ("debian", "not_ready"), "vmpooler_errors.not_ready.debian"),
        (
            ConnectionMetrics.AVAILABLE,
            ("redis_connection_pool", "manager"),
            "connection_available.redis_connection_pool.manager",
        ),
        (
            ConnectionMetrics.WAITED,
            ("redis_connection_pool", "manager"),
            "connection_waited.redis_connection_pool.manager",
        ),
    ],
)
def test_a_metric_of_3x_keeps_its_name(declaration: Declaration, values: tuple[str, ...], name: str) -> None:
    assert dotted_name(declaration, values, prefix="vmpooler") == f"vmpooler.{name}"


@pytest.mark.parametrize(
    ("declaration", "values", "name"),
    [
        (RedisMetrics.UP, (), "redis_up"),
        (RedisMetrics.ERRORS, ("timeout",), "redis_errors.timeout"),
        (
            HttpMetrics.SECONDS,
            ("get", "/api/v3/vm/{name}"),
            "http_request_duration.get.api_v3_vm_name",
        ),
    ],
)
def test_other_metrics_are_named_by_their_name_without_unit_and_their_labels(
    declaration: Declaration, values: tuple[str, ...], name: str
) -> None:
    assert dotted_name(declaration, values, prefix="vmpooler") == f"vmpooler.{name}"


@pytest.mark.parametrize(
    ("pool", "level"),
    [
        ("debian-12-x86_64", "debian-12-x86_64"),
        ("el.9.x", "el_9_x"),
        ("two words", "two_words"),
        ("a:1|c\nforged", "a_1_c_forged"),
        ("ünïcode", "ünïcode"),
        ("...", "_"),
        ("", "_"),
    ],
)
def test_a_value_is_one_level_whatever_it_holds(pool: str, level: str) -> None:
    assert dotted_name(VmMetrics.CLONE_SECONDS, (pool,), prefix="p") == f"p.clone.{level}"


def test_a_prefix_may_have_levels() -> None:
    assert dotted_name(DeleteMetrics.DELETES, ("failed",), prefix="lab.vm pooler") == (
        "lab.vm_pooler.delete.failed"
    )


@pytest.mark.parametrize("catalogues", [vmpooler_api.metrics.CATALOGUES, vmpooler_manager.metrics.CATALOGUES])
def test_no_two_metrics_share_a_dotted_name(catalogues: tuple[type, ...]) -> None:
    names = Counter(
        dotted_name(declaration, declaration.label_names, prefix="p")
        for catalogue in catalogues
        for declaration in declarations(catalogue)
    )
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("dotted", ["a", "a.{pool}.{other}", "a.{pool}.{pool}"])
def test_a_dotted_name_that_leaves_a_label_out_or_invents_one_is_refused(dotted: str) -> None:
    with pytest.raises(ValueError, match="holds each label once"):
        counter("a_total", "A.", labels=(Label("pool"),), dotted=dotted)
