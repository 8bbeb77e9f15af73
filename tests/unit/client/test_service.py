"""Addresses of services."""

import pytest

from vmpooler_client import ConfigurationError, Service


@pytest.mark.parametrize(
    "url",
    [
        "https://pool.example.com",
        "https://pool.example.com/",
        "https://pool.example.com/api/v1",
        "https://pool.example.com/api/v3/",
        "pool.example.com",
        " https://pool.example.com/api?x=y ",
    ],
)
def test_an_address_is_cut_to_its_root(url: str) -> None:
    assert Service(url).url == "https://pool.example.com"


def test_a_path_before_the_api_stays() -> None:
    assert Service("http://pool.example.com:8080/lab/api/v3").url == "http://pool.example.com:8080/lab"


@pytest.mark.parametrize(
    "url", ["", "ftp://pool", "https://", "http://[", "http://a:b@pool", "http://pool:x"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Service(url)


def test_a_token_shows_up_nowhere_and_starts_no_other_header() -> None:
    assert "secret" not in repr(Service("http://pool", token="secret"))
    with pytest.raises(ConfigurationError):
        Service("http://pool", token="a\r\nX: y")
