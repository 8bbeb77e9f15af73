"""The part of the section `config` that says how failing providers are treated."""

from datetime import timedelta
from typing import Annotated

from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import duration, flag, whole


class ResilienceSection(Section):
    """Keys of `config` about failing providers; a provider's own keys of the same name are stronger."""

    circuit_breaker_enabled: Annotated[
        bool, flag(), Setting("Leave a failing provider alone for a while")
    ] = True
    circuit_breaker_failure_threshold: Annotated[
        int, whole(minimum=1), Setting("Failures in a row before it is left alone", unit="failures")
    ] = 5
    circuit_breaker_timeout: Annotated[
        timedelta, duration("seconds", minimum=0), Setting("How long it is left alone")
    ] = timedelta(seconds=30)
    circuit_breaker_half_open_attempts: Annotated[
        int, whole(minimum=1), Setting("Successes before it is trusted again", unit="successes")
    ] = 3
    adaptive_timeout_enabled: Annotated[
        bool, flag(), Setting("Adapt the time-out of connections to how fast the provider answers")
    ] = True
    connection_pool_timeout_min: Annotated[
        timedelta, duration("seconds", above=0), Setting("Lower bound of the adapted time-out")
    ] = timedelta(seconds=5)
    connection_pool_timeout_max: Annotated[
        timedelta, duration("seconds", above=0), Setting("Upper bound of the adapted time-out")
    ] = timedelta(seconds=60)
    connection_pool_timeout_initial: Annotated[
        timedelta, duration("seconds", above=0), Setting("First value of the adapted time-out")
    ] = timedelta(seconds=30)
    connection_pool_monitor_enabled: Annotated[bool, flag(), Setting("Watch the connection pools")] = True
    connection_pool_monitor_interval: Annotated[
        timedelta, duration("seconds", above=0), Setting("How often the connection pools are watched")
    ] = timedelta(seconds=10)
