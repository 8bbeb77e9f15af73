"""Commands about tokens, and the one that writes the configuration."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from vmpooler_cli.asked import credentials
from vmpooler_cli.declare import common_options, talks

if TYPE_CHECKING:
    from vmpooler_cli.session import Session
    from vmpooler_client import Service

LOCAL = re.compile(r"http://(localhost|127\.[0-9.]+|\[::1\])(:|/|\Z)")

F = TypeVar("F", bound=Callable[..., Any])


def _login_options(function: F) -> F:
    stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
    return click.option("--user", metavar="NAME", help="Who logs in.")(stdin(function))


@click.group(short_help="Log in for a token, list and revoke tokens.")
def token() -> None:
    """Log in for a token, list and revoke tokens."""


@token.command("login", short_help="Log in for a new token.")
@_login_options
@talks
async def token_login(session: "Session", *, user: str | None, password_stdin: bool) -> None:
    """Log in with name and password, and keep the new token for the service in use."""
    from vmpooler_client import ConfigurationError

    if not session.service.name:
        raise ConfigurationError("this service has no name to keep a token under: `vmpooler login URL`")
    login = _ask(session, user or session.service.user, from_input=password_stdin)
    await _log_in(session, session.service, login, make_default=False)


_OWNER = click.option("--of", "owner", metavar="NAME", help="As an admin: of this user.")


@token.command("list", short_help="List your tokens.")
@_OWNER
@_login_options
@talks
async def token_list(
    session: "Session", *, owner: str | None, user: str | None, password_stdin: bool
) -> None:
    """List your tokens by their first characters."""
    login = _ask(session, user or session.service.user, from_input=password_stdin)
    entries = await session.client.tokens.of_user(*login, owner=owner)
    if session.output.as_json:
        session.output.json([entry.model_dump(mode="json") for entry in entries])
        return
    rows = [
        (
            entry.token,
            f"{entry.created:%Y-%m-%d %H:%M}" if entry.created else "",
            f"{entry.last:%Y-%m-%d %H:%M}" if entry.last else "never",
        )
        for entry in entries
    ]
    session.output.table(("TOKEN", "MADE", "LAST USED"), rows)


@token.command("revoke", short_help="Make a token void.")
@click.argument("value", metavar="[TOKEN]", required=False)
@_OWNER
@_login_options
@talks
async def token_revoke(
    session: "Session", *, value: str | None, owner: str | None, user: str | None, password_stdin: bool
) -> None:
    """Make a token void: the one in use, or another by its first characters, as `token list` shows them."""
    login = _ask(session, user or session.service.user, from_input=password_stdin)
    await session.client.tokens.revoke(value or await session.token(), *login, owner=owner)
    session.output.note("it is void")
    if session.service.name and value in (None, session.service.token):
        _write(session, replace(session.service, token=None), make_default=False)


@click.command(short_help="Configure a service, and log in.")
@click.argument("address", metavar="URL")
@click.option("--name", default="main", show_default=True, help="What you call the service.")
@click.option("--default/--no-default", "is_default", default=True, help="Use it where none is named.")
@_login_options
@common_options
def login(address: str, name: str, is_default: bool, **arguments: Any) -> None:
    """Write a service into the configuration; where it has users, log in and keep a token.

    The file is readable by you only. Several services go by their names: `vmpooler -s NAME`.
    """
    from vmpooler_cli.session import Session, run

    async def log_in(session: Session, *, user: str | None, password_stdin: bool) -> None:
        await session.client.pools.names()  # it is there, and it is vmpooler
        service = replace(session.service, name=name, token=None)
        if await session.client.tokens.has_users():
            login = _ask(session, user, from_input=password_stdin)
            await _log_in(session, service, login, make_default=is_default)
        else:
            session.output.note("this service has no users: no token is needed")
            _write(session, service, make_default=is_default)

    click.get_current_context().exit(run(log_in, {**arguments, "url": address}))


def _ask(session: "Session", user: str | None, *, from_input: bool) -> tuple[str, str]:
    """Ask for name and password, with a warning where others could read them on the way."""
    if session.service.url.startswith("http:") and not LOCAL.match(session.service.url):
        session.output.note(f"{session.service.url} is not encrypted: name, password and token can be read")
    return credentials(user, password_from_input=from_input)


async def _log_in(
    session: "Session", service: "Service", login: tuple[str, str], *, make_default: bool
) -> None:
    """Make a token and keep it; one that can't be kept is made void again."""
    from vmpooler_client import ConfigurationError

    new = await session.client.tokens.create(*login)
    try:
        _write(session, replace(service, token=new, user=login[0]), make_default=make_default)
    except ConfigurationError:
        await session.client.tokens.revoke(new, *login)
        raise


def _write(session: "Session", service: "Service", *, make_default: bool) -> None:
    from vmpooler_client.configuration import write_service

    path = write_service(service, make_default=make_default)
    session.output.note(f"written: {service.name} in {path}")


@click.command(short_help="List the configured services.")
@common_options
def services(as_json: bool, no_color: bool, **_: Any) -> None:
    """List the configured services; `*` marks the one that is used."""
    from vmpooler_cli.output import Output
    from vmpooler_client import ConfigurationError, find_service
    from vmpooler_client.configuration import read_services

    output = Output(as_json=as_json, colour=not no_color)
    try:
        found = read_services()
        used = find_service() if found.by_name else None
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        output.json(
            {
                name: {
                    "url": service.url,
                    "user": service.user,
                    "has_token": service.token is not None,
                    "is_used": used is not None and used.name == name,
                }
                for name, service in found.by_name.items()
            }
        )
        return
    output.table(
        ("", "NAME", "URL", "USER", "TOKEN"),
        [
            (
                "*" if used is not None and used.name == name else "",
                name,
                service.url,
                service.user or "",
                "yes" if service.token else "no",
            )
            for name, service in found.by_name.items()
        ],
    )
