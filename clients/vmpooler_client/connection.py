"""How the connection is made: certificates, headers, and what its failures mean."""

import ssl
from importlib.metadata import PackageNotFoundError, version
from typing import TypedDict

import certifi
import httpx

from vmpooler_client.errors import (
    AnswerLostError,
    CertificateError,
    ConfigurationError,
    UnreachableError,
    VmpoolerError,
)
from vmpooler_client.retries import Loss
from vmpooler_client.service import Service

CONNECT_SECONDS = 5.0


class HttpOptions(TypedDict):
    """Arguments of httpx's clients."""

    base_url: str
    headers: dict[str, str]
    verify: ssl.SSLContext
    follow_redirects: bool


def http_options(service: Service) -> HttpOptions:
    """Say how to speak to a service; raise ConfigurationError when its certificates can't be read.

    Redirections aren't followed: a token goes to the configured host only.
    """
    headers = {"User-Agent": f"vmpooler-client/{_version()}", "Accept": "application/json"}
    if service.token:
        headers["X-AUTH-TOKEN"] = service.token
    return HttpOptions(
        base_url=service.url, headers=headers, verify=_certificates(service), follow_redirects=False
    )


def timeout(seconds: float) -> httpx.Timeout:
    """Give the time for each step of a call whose answer may take so long."""
    return httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))


def failure(error: httpx.HTTPError, service: Service, seconds: float) -> tuple[VmpoolerError, Loss]:
    """Say what it means that a call had no answer."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError):
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return CertificateError(
                f"{service.url}: its certificate isn't trusted ({_reason(error)}); "
                "name the certificate of who signed it with --ca, `ca:` or SSL_CERT_FILE"
            ), Loss.NOT_SENT
        return UnreachableError(f"{service.url} can't be reached: {_reason(error)}"), Loss.NOT_SENT
    if isinstance(error, httpx.TimeoutException):
        return AnswerLostError(f"{service.url} didn't answer within {seconds:g} s"), Loss.LOST
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return UnreachableError(f"{service.url} can't be asked: {_reason(error)}"), Loss.NOT_SENT
    return AnswerLostError(f"the connection to {service.url} broke: {_reason(error)}"), Loss.LOST


def _certificates(service: Service) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if service.url.startswith("https:"):  # reading hundreds of them takes a while
        context.load_default_certs()
        if not context.get_ca_certs():
            context.load_verify_locations(certifi.where())
        if service.ca is not None:
            try:
                context.load_verify_locations(service.ca)
            except (OSError, ssl.SSLError) as error:
                raise ConfigurationError(f"the certificates in {service.ca} can't be read: {error}") from None
    return context


def _reason(error: httpx.HTTPError) -> str:
    return str(error).strip() or type(error).__name__


def _version() -> str:
    try:
        return version("vmpooler")
    except PackageNotFoundError:
        return "unknown"
