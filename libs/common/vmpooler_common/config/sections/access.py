"""The sections about who may do how much: `auth` and `rate_limits`."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, SecretStr

from vmpooler_common.config.declare.addresses import host_name
from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import choice, duration, secret, text, whole


def _one_or_more(value: object) -> object:
    """Take a text as a list of one: a name in a directory may hold spaces and commas."""
    return value if isinstance(value, list) else [value]


def _without_module(value: object) -> object:
    """Take `OpenSSL::SSL::VERIFY_PEER`, as the Ruby service's files may say it, for its last part."""
    return value.rpartition("::")[2] if isinstance(value, str) else value


class TlsOptions(Section):
    """The mapping `auth.ldap.encryption.tls_options`."""

    ssl_version: Annotated[
        str,
        choice("tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3"),
        Setting("Least version of TLS; those before 1.2 are never spoken", in_effect=True),
    ] = "tlsv1_2"
    verify_mode: Annotated[
        str,
        choice("peer", "verify_peer", "1", "none", "verify_none", "0"),
        BeforeValidator(_without_module),
        Setting(
            "Whether the directory's certificate is checked; with none anybody in between reads passwords",
            in_effect=True,
        ),
    ] = "peer"
    ca_file: Annotated[
        str | None,
        text(),
        Setting(
            "File of the authorities that may have signed the certificate",
            in_effect=True,
            default="those of the system",
        ),
    ] = None
    ca_path: Annotated[
        str | None, text(), Setting("Directory of such files, named by their hash", in_effect=True)
    ] = None

    @property
    def verifies(self) -> bool:
        """Whether the directory's certificate is checked."""
        return self.verify_mode not in ("verify_none", "none", "0")


class Encryption(Section):
    """The mapping `auth.ldap.encryption`."""

    method: Annotated[
        str,
        choice("start_tls", "simple_tls", "none"),
        Setting(
            "How the connection is encrypted: after its start, from its start (LDAPS), or not at all, "
            "so that everybody on the way reads passwords",
            in_effect=True,
        ),
    ] = "start_tls"
    tls_options: Annotated[TlsOptions, Setting("Details of TLS")] = TlsOptions()


class ServiceAccount(Section):
    """The mapping `auth.ldap.service_account_hash`."""

    user_dn: Annotated[
        str | None, text(), Setting("Name under which users are searched for", in_effect=True)
    ] = None
    password: Annotated[SecretStr | None, secret(), Setting("Password of that name", in_effect=True)] = None


class LdapSection(Section):
    """The mapping `auth.ldap`."""

    host: Annotated[
        str | None, host_name(), Setting("Host of the directory", environment=("LDAP_HOST",), in_effect=True)
    ] = None
    port: Annotated[
        int | None,
        whole(minimum=1, maximum=65535),
        Setting(
            "Port of the directory",
            environment=("LDAP_PORT",),
            in_effect=True,
            default="389, or 636 with simple_tls",
        ),
    ] = None
    base: Annotated[
        tuple[Annotated[str, text()], ...],
        BeforeValidator(_one_or_more),
        Setting(
            "Where users are, in this order",
            environment=("LDAP_BASE",),
            in_effect=True,
            type_name="text | list of text",
        ),
    ] = ()
    user_object: Annotated[
        tuple[Annotated[str, text()], ...],
        BeforeValidator(_one_or_more),
        Setting(
            "Attributes that hold the name which is typed, in this order; none that users may change",
            environment=("LDAP_USER_OBJECT",),
            in_effect=True,
            type_name="text | list of text",
        ),
    ] = ()
    identity_attribute: Annotated[
        str,
        text("the name of an attribute, such as uid", pattern=r"[A-Za-z][A-Za-z0-9-]*"),
        Setting(
            "Attribute whose only value is the user's name here, for VMs, tokens and admins, however it was "
            "typed; where it can't be read, that is what was typed, in lower case",
            in_effect=True,
        ),
    ] = "uid"
    encryption: Annotated[Encryption, Setting("How the connection is encrypted")] = Encryption()
    service_account_hash: Annotated[
        ServiceAccount | None, Setting("Account under which users are searched for")
    ] = None
    connect_timeout: Annotated[
        timedelta,
        duration("seconds", above=0),
        Setting("Longest time until a connection stands", in_effect=True),
    ] = timedelta(seconds=2)
    receive_timeout: Annotated[
        timedelta,
        duration("seconds", above=0),
        Setting("Longest wait for an answer; a login that takes longer than both fails", in_effect=True),
    ] = timedelta(seconds=4)


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


class LoginLimit(RateLimit):
    """The mapping `rate_limits.logins`."""

    limit: Annotated[int, _LIMIT, _REQUESTS] = 60


class AuthenticatedLimit(RateLimit):
    """The mapping `rate_limits.authenticated`."""

    limit: Annotated[int, _LIMIT, _REQUESTS] = 500


class DashboardLimit(RateLimit):
    """The mapping `rate_limits.dashboard`."""

    limit: Annotated[int, _LIMIT, _REQUESTS] = 600


class RateLimits(Section):
    """The section `rate_limits`."""

    vm_creation: Annotated[CreationLimit, Setting("Requests that take VMs")] = CreationLimit()
    vm_deletion: Annotated[DeletionLimit, Setting("Requests that give VMs back")] = DeletionLimit()
    logins: Annotated[LoginLimit, Setting("Requests with name and password from one address")] = LoginLimit()
    authenticated: Annotated[AuthenticatedLimit, Setting("Other requests of one user, with tokens")] = (
        AuthenticatedLimit()
    )
    dashboard: Annotated[
        DashboardLimit, Setting("Requests of the dashboard's pages that are open at one address")
    ] = DashboardLimit()
    global_per_ip: Annotated[RateLimit, Setting("All other requests of one address")] = RateLimit()
