"""The real server of the tests: it keeps its promises over stop, kill and pause."""

from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import TimeoutError as ServerTimeoutError

from tests.support.redis_server import RedisServer


def test_a_durable_server_keeps_its_data_over_a_kill(tmp_path: Path) -> None:
    with RedisServer(tmp_path, durable=True) as server, Redis.from_url(server.url) as client:
        client.set("key", "value")
        server.kill()
        server.start()
        assert client.get("key") == b"value"


def test_a_stopped_server_comes_back_on_the_same_port(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        port = server.port
        server.stop()
        server.start()
        assert server.port == port


def test_a_paused_server_answers_only_after_it_is_resumed(tmp_path: Path) -> None:
    with (
        RedisServer(tmp_path) as server,
        Redis.from_url(server.url, socket_timeout=0.2, retry=None) as impatient,
        Redis.from_url(server.url) as patient,
    ):
        server.pause()
        with pytest.raises(ServerTimeoutError):
            impatient.ping()
        server.resume()
        assert patient.ping()


def test_a_paused_server_can_be_stopped(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server:
        server.pause()
        server.stop()
        with pytest.raises(RuntimeError):
            server.resume()


def test_a_server_that_can_not_start_shows_its_log(tmp_path: Path) -> None:
    server = RedisServer(tmp_path, options=("--maxmemory-policy", "nonsense"))
    with pytest.raises(RuntimeError, match="maxmemory-policy"):
        server.start()
