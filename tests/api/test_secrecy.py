"""What the service writes down: never a password, never a token."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from redis.asyncio import Redis

from tests.store.dataset import read_dataset
from tests.support.documents import pooler_document
from tests.support.http import patient_client
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService
from tests.support.slapd import PEOPLE, Slapd

PASSWORD = "wonder land: yes"


@pytest.mark.parametrize("method", ["start_tls", "none"])
async def test_no_password_and_no_token_is_logged_or_kept(
    redis_server: RedisServer, redis_prefix: str, make_service: MakeService, tmp_path: Path, method: str
) -> None:
    with Slapd(tmp_path / "slapd") as slapd:
        document = pooler_document(
            redis_url=redis_server.url,
            prefix=redis_prefix,
            pools={"pool1": 1},
            config={"log_level": "debug"},
        )
        document["auth"] = {
            "provider": "ldap",
            "ldap": {
                "host": "127.0.0.1",
                "port": slapd.port,
                "base": PEOPLE,
                "user_object": "uid",
                "encryption": {"method": method, "tls_options": {"ca_file": str(slapd.ca_file)}},
                "connect_timeout": 0.5,
                "receive_timeout": 0.5,
            },
        }
        service = make_service("api", document=document)
        async with service, patient_client(service.base_url) as client:
            answer = await client.post("/api/v3/token", auth=("alice", PASSWORD))
            token = answer.json()["token"]
            mine = {"X-AUTH-TOKEN": token}
            statuses = [
                (await client.get(f"/api/v3/token/{token}")).status_code,
                (await client.post("/api/v3/vm/pool1", headers=mine)).status_code,
                (await client.delete("/api/v3/vm/one", headers=mine)).status_code,
                (await client.delete(f"/api/v3/token/{token}", auth=("alice", "secret guess"))).status_code,
            ]
            slapd.kill()
            statuses.append((await client.post("/api/v3/token", auth=("bob", PASSWORD))).status_code)
            metrics = (await client.get("/prometheus")).text
        async with Redis.from_url(redis_server.url, decode_responses=True, protocol=2) as redis:
            kept = str((await read_dataset(redis, redis_prefix)).entries)
        log = service.log.read_text()
    assert statuses == [200, 503, 404, 401, 503]
    assert "outage.began" in log
    for text in (log, kept, metrics):
        assert token not in text
        assert PASSWORD not in text
        assert "secret guess" not in text


def test_a_file_of_authorities_that_is_not_there_ends_the_start(
    redis_server: RedisServer, redis_prefix: str, tmp_path: Path
) -> None:
    document = pooler_document(redis_url=redis_server.url, prefix=redis_prefix, pools={"pool1": 1})
    options = {"ca_file": "no/such/file.pem"}
    document["auth"] = {
        "provider": "ldap",
        "ldap": {
            "host": "h",
            "base": PEOPLE,
            "user_object": "uid",
            "encryption": {"method": "start_tls", "tls_options": options},
        },
    }
    config = tmp_path / "api.yaml"
    config.write_text(yaml.safe_dump(document))
    command = [sys.executable, "-m", "vmpooler_api", "--config", str(config), "--port", str(free_port())]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert "no/such/file.pem" in result.stderr
