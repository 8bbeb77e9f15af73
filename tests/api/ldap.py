"""An API whose users are those of a real LDAP server."""

from typing import Any

import httpx

from tests.api.in_process import Api
from tests.support.slapd import PEOPLE, SERVICE, Slapd

METHODS = ("none", "start_tls", "simple_tls")
ACCOUNT = {"user_dn": SERVICE[0], "password": SERVICE[1]}
ALICE = ("alice", "wonder land: yes")


def section(slapd: Slapd, method: str = "start_tls", **keys: Any) -> dict[str, Any]:
    """Give the section `auth` for a server; `keys` are changed in `auth.ldap`."""
    ldap = {
        "host": "127.0.0.1",
        "port": slapd.tls_port if method == "simple_tls" else slapd.port,
        "base": PEOPLE,
        "user_object": "uid",
        "encryption": {"method": method, "tls_options": {"ca_file": str(slapd.ca_file)}},
    }
    return {"provider": "ldap", "ldap": ldap | keys}


async def log_in(api: Api, user: str, password: str) -> int:
    """Make a token; give the status. Logins that failed before don't count."""
    await api.fleet.forget_failed_logins()
    credentials = httpx.BasicAuth(user.encode(), password.encode())
    return (await api.client.post("/api/v3/token", auth=credentials)).status_code
