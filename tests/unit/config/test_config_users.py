"""The settings of users: the directory, admins, tokens, owners."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text, mistakes, with_value

DIRECTORY: dict[str, Any] = {"host": "ldap.lab.example", "base": "dc=lab", "user_object": "uid"}


def with_directory(**keys: Any) -> dict[str, Any]:
    """Return a document with users in a directory; a key of None isn't set."""
    return COMPLETE | {"auth": {"provider": "ldap", "ldap": DIRECTORY | keys}}


@pytest.mark.parametrize("key", ["host", "base", "user_object"])
def test_a_directory_without_what_is_needed_to_find_users_is_refused(key: str) -> None:
    (mistake,) = mistakes(with_directory(**{key: None}))
    assert mistake.place == f"auth.ldap.{key}"


def test_a_directory_that_is_not_described_is_refused() -> None:
    places = [mistake.place for mistake in mistakes(COMPLETE | {"auth": {"provider": "ldap"}})]
    assert places == ["auth.ldap.host", "auth.ldap.base", "auth.ldap.user_object"]


@pytest.mark.parametrize("account", [{"user_dn": "cn=a"}, {"password": "b"}, {}])
def test_half_an_account_is_refused(account: dict[str, str]) -> None:
    (mistake,) = mistakes(with_directory(service_account_hash=account))
    assert mistake.place == "auth.ldap.service_account_hash"


@pytest.mark.parametrize(
    ("encryption", "place"),
    [
        ({"method": "none"}, "auth.ldap.encryption.method"),
        ({"tls_options": {"verify_mode": 0}}, "auth.ldap.encryption.tls_options.verify_mode"),
        ({"tls_options": {"verify_mode": "none"}}, "auth.ldap.encryption.tls_options.verify_mode"),
        (
            {"tls_options": {"verify_mode": "OpenSSL::SSL::VERIFY_NONE"}},
            "auth.ldap.encryption.tls_options.verify_mode",
        ),
    ],
)
def test_where_passwords_can_be_read_on_the_way_is_warned_of(encryption: dict[str, Any], place: str) -> None:
    (warning,) = load_text(with_directory(encryption=encryption)).warnings
    assert warning.place == place


@pytest.mark.parametrize(
    "encryption",
    [
        None,
        {},
        {"method": ":simple_tls"},
        {"tls_options": {"verify_mode": 1}},
        {"tls_options": {"verify_mode": "VERIFY_PEER", "ssl_version": "TLSv1"}},
    ],
)
def test_an_encrypted_and_checked_connection_is_fine(encryption: dict[str, Any] | None) -> None:
    configuration = load_text(with_directory(encryption=encryption))
    assert configuration.warnings == ()
    assert configuration.not_in_effect == ()


def test_a_directory_is_spoken_to_with_start_tls_unless_told_otherwise() -> None:
    auth = load_text(with_directory()).settings.auth
    assert auth is not None
    assert auth.ldap is not None
    assert auth.ldap.encryption.method == "start_tls"
    assert auth.ldap.encryption.tls_options.verifies


def test_logins_that_may_take_longer_than_a_stop_are_warned_of() -> None:
    (warning,) = load_text(with_directory(connect_timeout=3, receive_timeout=5)).warnings
    assert warning.place == "auth.ldap.receive_timeout"


@pytest.mark.parametrize("value", [["alice", "bob"], "alice, bob"])
def test_admins_are_a_list(value: object) -> None:
    assert load_text(with_value(("config", "admins"), value)).settings.general.admins == ("alice", "bob")


def test_nobody_is_an_admin_and_owners_count_unless_told_otherwise() -> None:
    general = load_text(COMPLETE).settings.general
    assert general.admins == ()
    assert general.enforce_ownership
    assert general.token_ttl is None


def test_the_life_of_a_token_is_in_hours() -> None:
    settings = load_text(with_value(("config", "token_ttl"), 12)).settings
    assert settings.general.token_ttl == timedelta(hours=12)


def test_a_token_that_ends_at_once_is_refused() -> None:
    (mistake,) = mistakes(with_value(("config", "token_ttl"), 0))
    assert mistake.place == "config.token_ttl"


@pytest.mark.parametrize("provider", ["saml", "dummy "])
def test_82_an_unknown_provider_is_refused_at_the_start(provider: str) -> None:
    """In 3.x nobody could log in then; the number is that of its contract's checklist."""
    places = [mistake.place for mistake in mistakes(COMPLETE | {"auth": {"provider": provider}})]
    assert places == ["auth.provider"]
