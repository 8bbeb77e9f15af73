"""Who wins: command line, environment, later extra file, earlier extra file, document, default."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.config.documents import COMPLETE, load_text, with_pool, with_value, write
from vmpooler_common.config import ConfigurationError, load


def task_limit(directory: Path, **sources: int | None) -> int:
    """Return the effective task limit when each of `sources` sets it."""
    files = {}
    for name in ("document", "first", "second"):
        value = sources.get(name)
        content = {"config": {"task_limit": value}} if value is not None else {}
        files[name] = write(directory, f"{name}.yaml", COMPLETE | content if name == "document" else content)
    environ = {"EXTRA_CONFIG": f"{files['first']}, {files['second']}"}
    if (value := sources.get("environment")) is not None:
        environ["TASK_LIMIT"] = str(value)
    loaded = load(path=files["document"], host=None, port=None, environ=environ, service="manager")
    return loaded.settings.general.task_limit


@pytest.mark.parametrize(
    ("sources", "effective"),
    [
        ({}, 10),
        ({"document": 1}, 1),
        ({"document": 1, "first": 2}, 2),
        ({"document": 1, "first": 2, "second": 3}, 3),
        ({"document": 1, "first": 2, "second": 3, "environment": 4}, 4),
        ({"first": 2, "environment": 4}, 4),
    ],
)
def test_the_stronger_source_wins(tmp_path: Path, sources: dict[str, int], effective: int) -> None:
    assert task_limit(tmp_path, **sources) == effective


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        ({}, {}, ("127.0.0.1", 4567)),
        ({}, {"PORT": "1"}, ("127.0.0.1", 1)),
        ({}, {"PORT": "1", "VMPOOLER_PORT": "2"}, ("127.0.0.1", 2)),
        ({"port": 3}, {"PORT": "1", "VMPOOLER_PORT": "2"}, ("127.0.0.1", 3)),
        ({"port": 0}, {"PORT": "1"}, ("127.0.0.1", 0)),
        ({}, {"VMPOOLER_HOST": "::1"}, ("::1", 4567)),
        ({}, {"VMPOOLER_HOST": "::1, lab"}, ("::1,lab", 4567)),
        ({}, {"VMPOOLER_HOST": " , "}, ("127.0.0.1", 4567)),
        ({"host": "0.0.0.0"}, {"VMPOOLER_HOST": "::1"}, ("0.0.0.0", 4567)),  # noqa: S104
        ({}, {"VMPOOLER_HOST": "", "VMPOOLER_PORT": "", "PORT": ""}, ("127.0.0.1", 4567)),
    ],
)
def test_the_address_comes_from_the_command_line_then_the_environment(
    arguments: dict[str, int], environ: dict[str, str], expected: tuple[str, int]
) -> None:
    loaded = load_text(COMPLETE, environ, **arguments)  # type: ignore[arg-type]
    assert (",".join(loaded.settings.listen.hosts), loaded.settings.listen.port) == expected


def test_the_manager_has_a_port_of_its_own() -> None:
    assert load_text(COMPLETE, service="manager").settings.listen.port == 4568


def test_a_document_cannot_say_where_to_listen() -> None:
    loaded = load_text(COMPLETE | {"listen": {"port": 1}})
    assert loaded.settings.listen.port == 4567
    assert [warning.place for warning in loaded.warnings] == ["listen"]


def site_name(directory: Path, *, option: bool, environ: set[str]) -> str:
    """Return the name that says which document was taken; each one is called after its source."""
    files = {
        name: write(directory, f"{name}.yaml", with_value(("config", "site_name"), name))
        for name in ("option", "variable", "vmpooler")
    }
    text = "config: {site_name: blob}"
    variables = {"VMPOOLER_CONFIG": text, "VMPOOLER_CONFIG_FILE": str(files["variable"])}
    loaded = load(
        path=files["option"] if option else None,
        host=None,
        port=None,
        environ={name: variables[name] for name in environ},
        service="api",
    )
    return loaded.settings.general.site_name


@pytest.mark.parametrize(
    ("option", "environ", "taken"),
    [
        (True, {"VMPOOLER_CONFIG", "VMPOOLER_CONFIG_FILE"}, "option"),
        (False, {"VMPOOLER_CONFIG", "VMPOOLER_CONFIG_FILE"}, "blob"),
        (False, {"VMPOOLER_CONFIG_FILE"}, "variable"),
        (False, set(), "vmpooler"),
    ],
)
def test_one_document_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: bool, environ: set[str], taken: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert site_name(tmp_path, option=option, environ=environ) == taken


def test_without_any_document_the_error_names_the_four_ways_to_give_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        load(path=None, host=None, port=None, environ={}, service="api")
    (problem,) = caught.value.problems
    assert problem.source == "vmpooler.yaml"
    assert all(way in problem.expected for way in ("--config", "VMPOOLER_CONFIG_FILE", "VMPOOLER_CONFIG"))


def test_extra_files_also_change_a_document_from_the_environment(tmp_path: Path) -> None:
    extra = write(tmp_path, "extra.yaml", {"config": {"timeout": 7}})
    document = with_value(("config", "extra_config"), str(extra))
    assert load_text(document).settings.general.timeout == timedelta(minutes=7)


def test_the_variable_replaces_the_document_s_list_of_extra_files(tmp_path: Path) -> None:
    extra = write(tmp_path, "extra.yaml", {"config": {"timeout": 7}})
    document = with_value(("config", "extra_config"), str(tmp_path / "missing.yaml"))
    assert load_text(document, {"EXTRA_CONFIG": str(extra)}).settings.general.timeout == timedelta(minutes=7)


def test_redis_url_from_the_environment_beats_the_other_redis_settings() -> None:
    document = with_value(("redis",), {"url": "redis://localhost", "server": "two", "port": 3})
    loaded = load_text(document, {"REDIS_URL": "redis://127.0.0.4:5/6"})
    assert loaded.settings.redis.url is not None
    assert loaded.settings.redis.url.get_secret_value() == "redis://127.0.0.4:5/6"
    assert loaded.warnings == ()


def test_a_redis_url_in_the_document_is_pointed_out_beside_the_settings_that_it_beats() -> None:
    loaded = load_text(with_value(("redis",), {"url": "redis://localhost", "server": "two", "port": 3}))
    assert [warning.place for warning in loaded.warnings] == ["redis.server", "redis.port"]


def test_a_pool_s_own_value_beats_the_global_one() -> None:
    document = with_pool(ready_ttl=7) | {"config": {"ready_ttl": 9, "timeout": 8}}
    (pool,) = load_text(document).settings.pools
    assert (pool.ready_ttl, pool.timeout) == (timedelta(minutes=7), timedelta(minutes=8))
