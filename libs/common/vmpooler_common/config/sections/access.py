"""The sections about who may do how much: `auth` and `rate_limits`."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, SecretStr

from vmpooler_common.config.kinds import choice, duration, secret, text, whole
from vmpooler_common.config.setting import Section, Setting


def _one_or_more(value: object) -> object:
    """Take a text as a list of one: a name in a directory may hold spaces and commas."""
    return value if isinstance(value, list) else [value]


class TlsOptions(Section):
    """The mapping `auth.ldap.encryption.tls_options`."""

    ssl_version: Annotated[str | None, text(), Setting("Least version of TLS", default="TLSv1_2")] = None


class Encryption(Section):
    """The mapping `auth.ldap.encryption`."""

    method: Annotated[str, choice("start_tls", "simple_tls"), Setting("How the connection is encrypted")] = (
        "start_tls"
    )
    tls_options: Annotated[TlsOptions, Setting("Details of TLS")] = TlsOptions()


class ServiceAccount(Section):
    """The mapping `auth.ldap.service_account_hash`."""

    user_dn: Annotated[str | None, text(), Setting("Name under which users are searched for")] = None
    password: Annotated[SecretStr | None, secret(), Setting("Password of that name")] = None


class LdapSection(Section):
    """The mapping `auth.ldap`."""

    host: Annotated[str | None, text(), Setting("Host of the directory", environment=("LDAP_HOST",))] = None
    port: Annotated[
        int, whole(minimum=1, maximum=65535), Setting("Port of the directory", environment=("LDAP_PORT",))
    ] = 389
    base: Annotated[
        tuple[Annotated[str, text()], ...],
        BeforeValidator(_one_or_more),
        Setting(
            "Where users are, in this order", environment=("LDAP_BASE",), type_name="text | list of text"
        ),
    ] = ()
    user_object: Annotated[
        tuple[Annotated[str, text()], ...],
        BeforeValidator(_one_or_more),
        Setting(
            "Attributes that hold the user's name, in this order",
            environment=("LDAP_USER_OBJECT",),
            type_name="text | list of text",
        ),
    ] = ()
    encryption: Annotated[Encryption, Setting("How the connection is encrypted")] = Encryption()
    service_account_hash: Annotated[
        ServiceAccount | None, Setting("Account under which users are searched for")
    ] = None


class AuthSection(Section):
    """The section `auth`; with it, VMs are only taken and given back with a token."""

    provider: Annotated[
        str,
        choice("dummy", "ldap"),
        Setting(
            "Who knows the users; its presence turns the checks of tokens on. dummy needs VMPOOLER_DEBUG",
            environment=("AUTH_PROVIDER",),
            in_effect=True,
            default="no checks",
        ),
    ] = ""
    ldap: Annotated[LdapSection | None, Setting("The directory")] = None


_LIMIT = whole(minimum=1, maximum=100_000, because="each request of a period is remembered")
_REQUESTS = Setting("Requests in one period", unit="requests", in_effect=True)


class RateLimit(Section):
    """One category of `rate_limits`; a key that isn't given keeps the category's default."""

    limit: Annotated[int, _LIMIT, _REQUESTS] = 100
    period: Annotated[
        timedelta, duration("seconds", above=0), Setting("Length of the period", in_effect=True)
    ] = timedelta(seconds=60)


class CreationLimit(RateLimit):
    """The mapping `rate_limits.vm_creation`."""

    limit: Annotated[int, _LIMIT, _REQUESTS] = 20


class DeletionLimit(RateLimit):
    """The mapping `rate_limits.vm_deletion`."""

    limit: Annotated[int, _LIMIT, _REQUESTS] = 50


class AuthenticatedLimit(RateLimit):
    """The mapping `rate_limits.authenticated`."""

    limit: Annotated[int, _LIMIT, _REQUESTS] = 500


class RateLimits(Section):
    """The section `rate_limits`."""

    vm_creation: Annotated[CreationLimit, Setting("Requests that take VMs")] = CreationLimit()
    vm_deletion: Annotated[DeletionLimit, Setting("Requests that give VMs back")] = DeletionLimit()
    authenticated: Annotated[AuthenticatedLimit, Setting("Other requests with a token")] = (
        AuthenticatedLimit()
    )
    global_per_ip: Annotated[RateLimit, Setting("All other requests of one address")] = RateLimit()
