"""What goes wrong in vCenter means for the manager: the table, row by row."""

import ssl
from http.client import HTTPException
from typing import Any

import pytest
from pyVmomi import vim, vmodl

from vmpooler_manager.providers.errors import (
    NoCapacity,
    NotFound,
    PermanentError,
    ProviderError,
    Throttled,
    TransientError,
)
from vmpooler_manager.providers.vsphere.faults import FAULTS, translate

ROWS: list[tuple[Any, type[ProviderError]]] = [
    (vmodl.fault.ManagedObjectNotFound, NotFound),
    (vim.fault.NotAuthenticated, TransientError),
    (vim.fault.InvalidLogin, PermanentError),
    (vim.fault.InvalidLocale, PermanentError),
    (vmodl.fault.SecurityError, PermanentError),
    (vmodl.fault.InvalidRequest, PermanentError),
    (vmodl.fault.InvalidArgument, PermanentError),
    (vmodl.fault.NotSupported, PermanentError),
    (vmodl.fault.NotImplemented, PermanentError),
    (vmodl.fault.NotEnoughLicenses, PermanentError),
    (vmodl.fault.InvalidType, PermanentError),
    (vim.fault.LicenseAssignmentFailed, PermanentError),
    (vim.fault.RestrictedByAdministrator, PermanentError),
    (vim.fault.InvalidName, PermanentError),
    (vim.fault.InvalidFolder, PermanentError),
    (vim.fault.InvalidDatastorePath, PermanentError),
    (vim.fault.InvalidVmConfig, PermanentError),
    (vim.fault.MismatchedNetworkPolicies, PermanentError),
    (vim.fault.InsufficientResourcesFault, NoCapacity),
    (vim.fault.NoDiskSpace, NoCapacity),
    (vim.fault.NoCompatibleHost, NoCapacity),
    (vim.fault.NoActiveHostInCluster, NoCapacity),
    (vim.fault.LimitExceeded, Throttled),
    (vmodl.MethodFault, TransientError),
    (ssl.SSLCertVerificationError, PermanentError),
    (OSError, TransientError),
    (HTTPException, TransientError),
]
DERIVED: list[tuple[Any, type[ProviderError]]] = [
    (vim.fault.NoPermission, PermanentError),
    (vim.fault.InsufficientMemoryResourcesFault, NoCapacity),
    (vim.fault.PasswordExpired, PermanentError),
    (vim.fault.TaskInProgress, TransientError),
    (vim.fault.InvalidPowerState, TransientError),
    (vim.fault.ConcurrentAccess, TransientError),
    (vmodl.fault.HostCommunication, TransientError),
    (TimeoutError, TransientError),
    (ValueError, TransientError),
]


@pytest.mark.parametrize(("fault", "meaning"), ROWS + DERIVED)
def test_a_fault_means(fault: Any, meaning: type[ProviderError]) -> None:
    error = translate(fault(), "cloning debian")
    assert type(error) is meaning
    assert str(error).startswith("cloning debian: ")


def test_every_row_of_the_table_is_tested() -> None:
    assert {fault for fault, _ in ROWS} == set(FAULTS)


@pytest.mark.parametrize("answer", ["503 Service Unavailable", "429 Too Many Requests"])
def test_a_busy_server_asks_for_a_pause(answer: str) -> None:
    assert isinstance(translate(HTTPException(answer), "cloning"), Throttled)


def test_the_reasons_that_people_need_are_told() -> None:
    full = translate(vim.fault.NoDiskSpace(datastore="datastore1"), "cloning")
    assert "no space on datastore1" in str(full)
    lacking = translate(vim.fault.NoPermission(privilegeId="Folder.Create"), "making a folder")
    assert "Folder.Create" in str(lacking)
