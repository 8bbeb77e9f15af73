"""HTTP's Basic authentication: reading the header, and telling the OpenAPI document of it."""

import base64
import binascii
import unicodedata

from fastapi import Request
from fastapi.openapi.models import HTTPBase
from fastapi.security.base import SecurityBase

from vmpooler_api.authentication.base import Credentials, WrongCredentials

_LONGEST_USER = 256


class BasicCredentials(SecurityBase):
    """A route's dependency that gives the credentials of the request."""

    def __init__(self) -> None:
        self.model = HTTPBase(scheme="basic", description="A user's name and password.")
        self.scheme_name = "user"

    async def __call__(self, request: Request) -> Credentials:
        """Read the header. Raises WrongCredentials."""
        return read_basic(request.headers.get("authorization", ""))


def read_basic(header: str) -> Credentials:
    """Read the value of the header `Authorization`. Raises WrongCredentials.

    Empty names and passwords are refused here: a directory takes a bind with an empty password for an
    anonymous one, and lets everybody in.
    """
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise WrongCredentials
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):  # not base64, or not UTF-8
        raise WrongCredentials from None
    user, _, password = text.partition(":")
    if not user or not password or len(user) > _LONGEST_USER:
        raise WrongCredentials
    # No password that somebody typed holds them, and directories cut at some of them.
    if any(unicodedata.category(character) == "Cc" for character in password):
        raise WrongCredentials
    # A directory takes no notice of spaces around a name: there would be several users of one account.
    if user != user.strip() or not user.isprintable():
        raise WrongCredentials
    return Credentials(user, password)
