"""Which service is used, and the files that say so."""

import stat
from pathlib import Path

import pytest
import yaml

from vmpooler_client import ConfigurationError, Service, find_service
from vmpooler_client.configuration import exposed_file, own_file, read_services, write_service


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have a home of the test's own, and nothing in the environment."""
    for name in ("URL", "TOKEN", "CA", "SERVICE", "CLIENT_CONFIG"):
        monkeypatch.delenv(f"VMPOOLER_{name}", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


FLOATY = """
user: alice
services:
  main: {url: 'https://vmpooler.example.net/api/v1', token: main-token}
  lab: {url: 'https://lab.example.net/api/v3', user: bob}
  abs: {url: 'https://abs.example.net/api/v2', type: abs}
"""


def test_without_any_configuration_it_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="vmpooler login URL"):
        find_service()


def test_the_file_of_vmfloaty_is_read(home: Path) -> None:
    (home / ".vmfloaty.yml").write_text(FLOATY)
    main = find_service()
    assert (main.name, main.url, main.user, main.token) == (
        "main",
        "https://vmpooler.example.net",
        "alice",
        "main-token",
    )
    assert find_service("lab").user == "bob"
    with pytest.raises(ConfigurationError, match="isn't vmpooler"):
        find_service("abs")
    with pytest.raises(ConfigurationError, match="there are: main, lab"):
        find_service("other")


def test_the_old_form_of_vmfloatys_file_is_read(home: Path) -> None:
    (home / ".vmfloaty.yml").write_text("url: https://pool.example.net/api/v1\ntoken: abc\nuser: alice\n")
    assert find_service() == Service("https://pool.example.net", token="abc", user="alice", name="vmfloaty")


def test_a_service_is_written_for_its_owner_only_and_the_rest_stays(home: Path) -> None:
    write_service(Service("https://one", token="t1", name="one", ca=home / "ca.pem"), make_default=False)
    path = write_service(Service("https://two", name="two"), make_default=False)
    document = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**document, "theirs": 1}))
    path.chmod(0o644)
    assert exposed_file() == path
    write_service(Service("https://two", token="t2", name="two"), make_default=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert exposed_file() is None
    assert yaml.safe_load(path.read_text())["theirs"] == 1
    assert list(path.parent.iterdir()) == [path]
    assert find_service() == Service("https://two", token="t2", name="two")
    assert find_service("one").ca == home / "ca.pem"


def test_our_file_hides_vmfloatys(home: Path) -> None:
    (home / ".vmfloaty.yml").write_text(FLOATY)
    write_service(Service("https://ours", name="lab"), make_default=False)
    assert find_service().url == "https://ours"
    assert list(read_services().by_name) == ["main", "lab"]


def test_the_environment_beats_the_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_service(Service("https://ours", token="t", name="ours"), make_default=True)
    write_service(Service("https://other", name="other"), make_default=False)
    monkeypatch.setenv("VMPOOLER_SERVICE", "other")
    assert find_service().url == "https://other"
    monkeypatch.setenv("VMPOOLER_URL", "https://here")
    monkeypatch.setenv("VMPOOLER_TOKEN", "mine")
    monkeypatch.setenv("VMPOOLER_CA", str(home / "ca.pem"))
    assert find_service() == Service("https://here", token="mine", ca=home / "ca.pem")
    assert find_service("ours").url == "https://ours"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: {a: {token: x}}", "has no url"),
        ("services: [a]", "no mapping"),
        ("services: {a: {url: http://a, token: 12345}}", "quote it"),
        ("{", "no YAML"),
        ("a", "no mapping"),
    ],
)
def test_a_file_that_cannot_be_understood_is_named(text: str, words: str) -> None:
    own_file().parent.mkdir(parents=True)
    own_file().write_text(text)
    with pytest.raises(ConfigurationError, match=words) as raised:
        find_service("a")
    assert str(own_file()) in str(raised.value)
