"""A typed client of vmpooler, for asyncio (`AsyncClient`) and for threads (`Client`), of the same names.

from vmpooler_client import Client

with Client("https://vmpooler.example.com") as client:
    with client.checkout("debian-12-x86_64", wait=60) as vm:
        print(vm.hostname)
"""

from vmpooler_client._async.checkout import AsyncCheckout
from vmpooler_client._async.client import AsyncClient
from vmpooler_client._async.ondemand import AsyncOnDemandCheckout
from vmpooler_client._sync.checkout import Checkout
from vmpooler_client._sync.client import Client
from vmpooler_client._sync.ondemand import OnDemandCheckout
from vmpooler_client.configuration import find_service
from vmpooler_client.errors import (
    AnswerLostError,
    BadAnswerError,
    BadRequestError,
    CertificateError,
    ConfigurationError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    NotReadyError,
    NotSupportedError,
    RateLimitedError,
    RefusedError,
    RequestFailedError,
    TimedOutError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
    VmpoolerError,
    VmsLeftError,
)
from vmpooler_client.orders import TakenVm
from vmpooler_client.retries import Retries
from vmpooler_client.service import Service

__all__ = [
    "AnswerLostError",
    "AsyncCheckout",
    "AsyncClient",
    "AsyncOnDemandCheckout",
    "BadAnswerError",
    "BadRequestError",
    "CertificateError",
    "Checkout",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "ForbiddenError",
    "NotFoundError",
    "NotReadyError",
    "NotSupportedError",
    "OnDemandCheckout",
    "RateLimitedError",
    "RefusedError",
    "RequestFailedError",
    "Retries",
    "Service",
    "TakenVm",
    "TimedOutError",
    "UnauthorizedError",
    "UnavailableError",
    "UnreachableError",
    "VmpoolerError",
    "VmsLeftError",
    "find_service",
]
