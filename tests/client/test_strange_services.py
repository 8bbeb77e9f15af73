"""Services that are down, hang, lie, or stand behind a proxy with a certificate authority of its own."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from tests.client.command import Command, Finished
from tests.client.gate import Asked, Gate, HangUp, hang, reply
from vmpooler_client import AnswerLostError, AsyncClient, BadAnswerError, Retries, VmpoolerError

HASTY = Retries(attempts=2, first_pause=0.01)


async def call(vmpooler: Command, gate: Gate, *arguments: str) -> Finished:
    return await asyncio.to_thread(vmpooler, *arguments, "--url", gate.url)


def always(answer: bytes) -> Callable[[Asked], Awaitable[bytes]]:
    async def behave(_: Asked) -> bytes:
        return answer

    return behave


async def test_one_that_is_down_is_named(vmpooler: Command, free_port: int) -> None:
    ended = await asyncio.to_thread(vmpooler, "list", "--url", f"http://localhost:{free_port}")
    assert (ended.code, ended.out) == (6, "")
    assert f"http://localhost:{free_port} can't be reached" in ended.err
    ended = await asyncio.to_thread(vmpooler, "list", "--url", "http://no-such-host.invalid")
    assert ended.code == 6


async def test_one_that_hangs_is_given_up(vmpooler: Command) -> None:
    async with Gate(hang) as gate:
        for arguments in (["list"], ["show", "one"], ["return", "one"], ["pools", "--json"]):
            ended = await call(vmpooler, gate, *arguments, "--timeout=0.3s")
            assert ended.code == 6
            assert "didn't answer within 0.3 s" in ended.err
        assert gate.count("DELETE") == 1


async def test_an_order_whose_answer_never_comes_may_have_left_vms(vmpooler: Command) -> None:
    async with Gate(hang) as gate:
        ended = await call(vmpooler, gate, "get", "debian", "--timeout=0.3s")
        assert ended.code == 8
        assert "VMs of debian may be left" in ended.err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(200, b"<html>Welcome!</html>"), "<html>Welcome!</html>"),
        (reply(200, b""), "it is empty"),
        (reply(200, {"ok": True}), "isn't vmpooler's"),
        (reply(200, [1, 2]), "no JSON object"),
        (reply(200, {"status": {"ok": 1, "message": {}}}), "status"),
        (reply(500, b"\x1b[2J<h1>Internal Server Error</h1>"), "Internal Server Error"),
        (reply(302, b"", Location="https://login.example.com/"), "https://login.example.com/"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "broke"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", "broke"),
    ],
)
async def test_what_is_not_vmpooler_is_told(answer: bytes, words: str, vmpooler: Command) -> None:
    async with Gate(always(answer)) as gate:
        ended = await call(vmpooler, gate, "status")
    assert ended.code == 6
    assert words in ended.err
    assert "\x1b" not in ended.err
    assert "Traceback" not in ended.err


async def test_a_name_that_would_steer_ssh_is_no_host_name(vmpooler: Command) -> None:
    async with Gate(always(reply(200, {"ok": True, "debian": {"hostname": "-oProxyCommand=id"}}))) as gate:
        ended = await call(vmpooler, gate, "get", "debian", "--ssh")
    assert ended.code == 8  # what it has granted can't be given back
    assert "-oProxyCommand=id" in ended.err


async def test_other_vms_than_were_asked_for_are_given_back(vmpooler: Command) -> None:
    async def generous(asked: Asked) -> bytes:
        if asked.method == "DELETE":
            return reply(200, {"ok": True})
        return reply(200, {"ok": True, "debian": {"hostname": ["one", "two"]}})

    async with Gate(generous) as gate:
        ended = await call(vmpooler, gate, "get", "debian")
        assert (ended.code, gate.count("DELETE")) == (6, 2)
        assert "other VMs than debian: one, two" in ended.err


async def test_what_a_service_tells_is_no_way_into_the_terminal(vmpooler: Command) -> None:
    pool = {"ready": 1, "running": 0, "pending": 0, "max": 1, "lastBoot": "", "alias": "\x1b[2Jdebian"}
    status = {"pools": {"\x1b]0;title\x07debian": pool}, "status": {"ok": True, "message": "\x1b[31mfine"}}
    async with Gate(always(reply(200, status))) as gate:
        for arguments in (["list"], ["pools"], ["status"]):
            ended = await call(vmpooler, gate, *arguments)
            assert ended.code == 0
            assert "\x1b" not in ended.out
            shown = await asyncio.to_thread(vmpooler, *arguments, "--url", gate.url, tty=True)
            assert "\x1b[2J" not in shown.out
            assert "\x1b]0" not in shown.out


async def test_a_proxy_that_finds_no_service_behind_it_is_told(vmpooler: Command) -> None:
    async with Gate(always(reply(502, b"<html>Bad Gateway</html>"))) as gate:
        ended = await call(vmpooler, gate, "list")
        assert (ended.code, gate.count("GET")) == (6, 4)
        assert "a proxy answers 502" in ended.err


async def test_too_many_requests_are_sent_again_when_that_is_soon() -> None:
    answers = [reply(429, {"error": "Rate limit exceeded"}, Retry_After="0"), reply(200, ["debian"])]

    async def busy(_: Asked) -> bytes:
        return answers.pop(0)

    async with Gate(busy) as gate, AsyncClient(gate.url) as client:
        assert await client.pools.names() == ["debian"]


async def test_a_task_is_never_asked_for_twice() -> None:
    async def lose(_: Asked) -> bytes:
        raise HangUp

    async with Gate(lose) as gate, AsyncClient(gate.url, retries=HASTY) as client:
        with pytest.raises(AnswerLostError):
            await client.vms.add_disk("one", 8)
        assert gate.count("POST") == 1
        with pytest.raises(AnswerLostError):
            await client.vms.show("one")
        assert gate.count("GET") == 2


async def test_a_token_goes_to_the_service_only_and_a_redirection_is_not_followed() -> None:
    async with Gate(always(reply(200, ["debian"]))) as elsewhere:
        there = reply(307, b"", Location=f"{elsewhere.url}/api/v3/vm")
        async with Gate(always(there)) as gate, AsyncClient(gate.url, token="secret") as client:
            with pytest.raises(BadAnswerError, match=elsewhere.url):
                await client.pools.names()
            assert gate.asked[0].headers["x-auth-token"] == "secret"
        assert elsewhere.asked == []


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


async def test_a_proxy_with_an_authority_of_its_own_is_trusted_when_told(
    vmpooler: Command, authority: trustme.CA, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    pool = {"ready": 1, "running": 0, "pending": 0, "max": 1, "lastBoot": ""}
    status = {"pools": {"debian": pool}, "status": {"ok": True, "message": ""}}
    async with Gate(always(reply(200, status)), tls=context) as gate:
        refused = await call(vmpooler, gate, "list")
        assert refused.code == 6
        assert "its certificate isn't trusted" in refused.err
        assert gate.asked == []
        assert (await call(vmpooler, gate, "list", "--ca", str(ca))).code == 0
        for variable in ("SSL_CERT_FILE", "VMPOOLER_CA"):
            vmpooler.environment = {variable: str(ca), "VMPOOLER_URL": gate.url}
            assert (await asyncio.to_thread(vmpooler, "list")).code == 0
        unreadable = await call(vmpooler, gate, "list", "--ca", "/no/such/file")
        assert (unreadable.code, "can't be read" in unreadable.err) == (2, True)


async def test_every_error_of_the_library_is_one_kind() -> None:
    async with Gate(always(b"\x00\x01")) as gate, AsyncClient(gate.url, retries=HASTY) as client:
        for ask in (client.pools.status(), client.vms.show("x"), client.tokens.show("x"), client.take(["x"])):
            with pytest.raises(VmpoolerError):
                await ask
