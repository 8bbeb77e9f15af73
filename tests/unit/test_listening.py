"""The addresses that a service's web server listens on."""

import socket
from contextlib import ExitStack

import pytest

from tests.support.ports import free_port
from vmpooler_common.web.listening import bind, url_of


def reached(hosts: list[str], *clients: str, port: int = 0) -> list[bool]:
    """Tell at which of these addresses a server with these hosts accepts connections."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(listener) for listener in bind(hosts, port)]
        for listener in listeners:
            listener.listen()
        answers = []
        for client in clients:
            try:
                socket.create_connection((client, listeners[0].getsockname()[1]), timeout=30).close()
            except ConnectionRefusedError:
                answers.append(False)
            else:
                answers.append(True)
        return answers


@pytest.mark.parametrize(
    ("hosts", "ipv4", "ipv6"),
    [
        (["::"], True, True),
        (["::", "0.0.0.0"], True, True),  # noqa: S104
        (["::1", "127.0.0.1"], True, True),
        (["127.0.0.1", "127.0.0.1"], True, False),
        (["::1"], False, True),
    ],
)
def test_a_service_is_reached_at_all_its_hosts(hosts: list[str], ipv4: bool, ipv6: bool) -> None:
    assert reached(hosts, "127.0.0.1", "::1") == [ipv4, ipv6]
    assert reached(hosts, "127.0.0.1", "::1", port=free_port()) == [ipv4, ipv6]


def test_a_port_that_is_taken_at_one_host_is_an_error_and_none_stays_bound() -> None:
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"address already in use: 127.0.0.2, port {port}"):
            bind(["127.0.0.1", "127.0.0.2"], port)
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_an_address_of_another_machine_is_an_error() -> None:
    with pytest.raises(OSError, match=r"192\.0\.2\.1"):
        bind(["192.0.2.1"], 0)


def test_an_address_is_told_as_a_url() -> None:
    for host, url in (("::1", "http://[::1]:"), ("127.0.0.1", "http://127.0.0.1:")):
        (listener,) = bind([host], 0)
        with listener:
            assert url_of(listener) == f"{url}{listener.getsockname()[1]}"
