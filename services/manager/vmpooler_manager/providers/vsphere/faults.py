"""What goes wrong in vCenter, in the contract's terms: one table, by the type of the fault."""

import ssl
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPException

from pyVmomi import vim, vmodl

from vmpooler_manager.providers.errors import (
    NoCapacity,
    NotFound,
    PermanentError,
    ProviderError,
    Throttled,
    TransientError,
)

PAUSE = timedelta(seconds=10)
"""What a throttled call asks for: vCenter doesn't say how long."""


def throttled(message: str) -> ProviderError:
    """Make the error of a vCenter that has too much to do."""
    return Throttled(message, retry_after=PAUSE)


FAULTS: dict[type, Callable[[str], ProviderError]] = {
    vmodl.fault.ManagedObjectNotFound: NotFound,
    vim.fault.NotAuthenticated: TransientError,
    vim.fault.InvalidLogin: PermanentError,
    vim.fault.InvalidLocale: PermanentError,
    vmodl.fault.SecurityError: PermanentError,
    vmodl.fault.InvalidRequest: PermanentError,
    vmodl.fault.InvalidArgument: PermanentError,
    vmodl.fault.NotSupported: PermanentError,
    vmodl.fault.NotImplemented: PermanentError,
    vmodl.fault.NotEnoughLicenses: PermanentError,
    vmodl.fault.InvalidType: PermanentError,
    vim.fault.LicenseAssignmentFailed: PermanentError,
    vim.fault.RestrictedByAdministrator: PermanentError,
    vim.fault.InvalidName: PermanentError,
    vim.fault.InvalidFolder: PermanentError,
    vim.fault.InvalidDatastorePath: PermanentError,
    vim.fault.InvalidVmConfig: PermanentError,
    vim.fault.MismatchedNetworkPolicies: PermanentError,
    vim.fault.InsufficientResourcesFault: NoCapacity,
    vim.fault.NoDiskSpace: NoCapacity,
    vim.fault.NoCompatibleHost: NoCapacity,
    vim.fault.NoActiveHostInCluster: NoCapacity,
    vim.fault.LimitExceeded: throttled,
    vmodl.MethodFault: TransientError,
    ssl.SSLCertVerificationError: PermanentError,
    OSError: TransientError,
    HTTPException: TransientError,
}
"""The nearest base class of a fault that stands here decides; what stands nowhere is transient."""

_BUSY = ("429", "503")
"""Answers of HTTP by which a proxy or vCenter itself asks for a pause."""


def translate(error: Exception, doing: str) -> ProviderError:
    """Give the contract's error for one of vCenter or of the way to it; `doing` says what was tried."""
    if isinstance(error, ProviderError):
        return error
    message = f"{doing}: {text_of(error)}"
    if isinstance(error, HTTPException) and str(error).startswith(_BUSY):
        return throttled(message)
    for base in type(error).__mro__:
        if base in FAULTS:
            return FAULTS[base](message)
    return TransientError(message)


def text_of(error: Exception) -> str:
    """Say what happened, in vCenter's words, with the fault's name."""
    name = type(error).__name__.rpartition(".")[2]
    if isinstance(error, vim.fault.NoPermission) and getattr(error, "privilegeId", None):
        return f"{name}: the user lacks the privilege {error.privilegeId}"
    words = getattr(error, "msg", None) or getattr(error, "reason", None)
    if isinstance(error, vim.fault.NoDiskSpace) and getattr(error, "datastore", None):
        words = f"no space on {error.datastore}"
    if not isinstance(error, vmodl.MethodFault):
        words = str(error)
    return f"{name}: {words}" if words else name
