"""The settings of a dummy provider, as they stand under its name in the configuration."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vmpooler_manager.providers.errors import PermanentError

Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
"""A chance: 0 never, 100 always."""
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""The longest duration; the real ones are uniform between 0 and this."""


class DummySettings(BaseModel):
    """Validated settings. Keys that are not listed belong to others (`provider_class`, …)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    filename: Path | None = None
    """SQLite file that holds the VMs and may be shared by managers; None: in memory, for one manager."""
    connection_pool_size: Annotated[int, Field(ge=1)] = 1
    connection_pool_timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 10
    """Longest wait for a free connection, in seconds."""

    createvm_max_time: Seconds = 0
    """Cloning."""
    vmready_max_time: Seconds = 0
    """Booting, after the clone has ended."""
    destroyvm_max_shutdown_time: Seconds = 0
    destroyvm_max_time: Seconds = 0
    """Removing, after the shutdown."""
    createdisk_max_time: Seconds = 0
    createsnapshot_max_time: Seconds = 0
    revertsnapshot_max_time: Seconds = 0

    createvm_fail_percent: Percent = 0
    """`create` fails and there is no VM."""
    createvm_orphan_percent: Percent = 0
    """`create` fails although the VM was made."""
    destroyvm_fail_percent: Percent = 0
    """`destroy` fails after the shutdown; the VM stays, switched off."""
    createdisk_fail_percent: Percent = 0
    """`add_disk` fails and there is no disk; likewise the next two."""
    createsnapshot_fail_percent: Percent = 0
    revertsnapshot_fail_percent: Percent = 0
    task_lostanswer_percent: Percent = 0
    """`add_disk`, `snapshot` and `revert` fail although it was done."""
    vmready_fail_percent: Percent = 0
    """`inspect` fails, as long as the VM was not once seen ready."""
    getvm_poweroff_percent: Percent = 0
    """`inspect` finds that the VM has just been switched off, for good."""
    listvms_fail_percent: Percent = 0
    listvms_partial_percent: Percent = 0
    """A listing lacks some of its VMs, and doesn't say so."""
    throttle_percent: Percent = 0
    """Any call is refused with the wish for a pause."""
    hang_percent: Percent = 0
    """Any call never returns, and keeps its connection until it is cancelled."""
    seed: int | str | None = None
    """Makes the decisions above come out the same each time."""

    @property
    def connection_timeout(self) -> timedelta:
        """Longest wait for a free connection."""
        return timedelta(seconds=self.connection_pool_timeout)


def read_settings(provider: str, configured: Mapping[str, Any]) -> DummySettings:
    """Validate the settings of `provider`; a key without a value counts as absent.

    Raises PermanentError that lists every mistake with its key, what was expected and what was given.
    """
    given = {key: value for key, value in configured.items() if value is not None}
    try:
        return DummySettings.model_validate(given)
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']} (given: {mistake['input']!r})"
            for mistake in error.errors(include_url=False)
        )
        raise PermanentError(f"settings of provider {provider!r}: {mistakes}") from error
