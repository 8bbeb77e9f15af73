"""The printed table says all that an operator needs to write a query."""

import vmpooler_api.metrics
import vmpooler_manager.metrics
from vmpooler_common.metrics.describe import describe


def row(table: str, name: str) -> str:
    return next(line for line in table.splitlines() if line.split()[0] == name)


def test_a_metric_is_one_line_with_type_labels_meaning_and_fixed_values() -> None:
    line = row(describe(vmpooler_manager.metrics.CATALOGUES), "vmpooler_pool_checks_failed_total")
    assert "  counter  " in line
    assert "  vmpooler_instance, pool, cause  " in line
    assert "  pool_checks_failed.{pool}.{cause}  " in line
    assert line.endswith("by what was at fault. [cause: redis, provider, bug]")


def test_the_table_is_sorted_below_its_heading() -> None:
    first, *rest = describe(vmpooler_manager.metrics.CATALOGUES).splitlines()
    assert first.split() == ["NAME", "TYPE", "LABELS", "FOR", "STATSD", "AND", "GRAPHITE", "MEANING"]
    assert rest == sorted(rest)


def test_names_carry_the_configured_prefix() -> None:
    assert row(describe(vmpooler_api.metrics.CATALOGUES, prefix="lab"), "lab_redis_up")


def test_metrics_of_http_show_no_instance_label() -> None:
    line = row(describe(vmpooler_api.metrics.CATALOGUES), "vmpooler_http_requests_total")
    assert "vmpooler_instance" not in line
