"""The sections of the metric backends, of the dashboard's history and of tracing."""

from typing import Annotated

from vmpooler_common.config.declare.addresses import host_name, web_server
from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import flag, text, whole

_PORT = whole(minimum=1, maximum=65535)


class StatsdSection(Section):
    """The section `statsd`: metrics over UDP."""

    server: Annotated[
        str, host_name(), Setting("Host of statsd; empty: none", ("STATSD_SERVER",), in_effect=True)
    ] = ""
    prefix: Annotated[
        str, text(), Setting("Beginning of every name", environment=("STATSD_PREFIX",), in_effect=True)
    ] = "vmpooler"
    port: Annotated[int, _PORT, Setting("UDP port", environment=("STATSD_PORT",), in_effect=True)] = 8125


class GraphiteSection(Section):
    """The section `graphite`: metrics over TCP."""

    server: Annotated[
        str, host_name(), Setting("Host of Graphite; empty: none", ("GRAPHITE_SERVER",), in_effect=True)
    ] = ""
    prefix: Annotated[
        str, text(), Setting("Beginning of every name", environment=("GRAPHITE_PREFIX",), in_effect=True)
    ] = "vmpooler"
    port: Annotated[int, _PORT, Setting("TCP port", environment=("GRAPHITE_PORT",), in_effect=True)] = 2003


class PrometheusSection(Section):
    """The section `prometheus`: metrics that are fetched."""

    prefix: Annotated[
        str, text(), Setting("Name of this instance: the label vmpooler_instance", in_effect=True)
    ] = "vmpooler"
    prometheus_prefix: Annotated[
        str,
        text("letters, digits and underscores, no digit first", pattern="[A-Za-z_][A-Za-z0-9_]*"),
        Setting("Beginning of every name", in_effect=True),
    ] = "vmpooler"
    prometheus_endpoint: Annotated[
        str,
        text("a path that begins with /", pattern=r"/[A-Za-z0-9._~/-]+"),
        Setting("Where both services show their metrics", in_effect=True),
    ] = "/prometheus"


class GraphsSection(Section):
    """The section `graphs`: where the dashboard's history comes from."""

    server: Annotated[
        str | None,
        web_server(),
        Setting(
            "Host that renders graphs, maybe with a port, or an address such as https://graphs.example.com",
            in_effect=True,
            default="graphite.server",
        ),
    ] = None
    prefix: Annotated[
        str | None,
        text(),
        Setting("Beginning of every name", in_effect=True, default="vmpooler; graphite's with its server"),
    ] = None


class TracingSection(Section):
    """The section `tracing`."""

    enabled: Annotated[bool, flag(), Setting("Export traces", environment=("VMPOOLER_TRACING_ENABLED",))] = (
        False
    )
    jaeger_host: Annotated[
        str,
        web_server(),
        Setting("Address of the collector", environment=("VMPOOLER_TRACING_JAEGER_HOST",)),
    ] = "http://localhost:14268/api/traces"
