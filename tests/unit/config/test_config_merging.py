"""Extra files: mappings merge, lists replace, pools merge by name."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text, with_pool, with_value, write
from vmpooler_common.config import ConfigurationError, Settings


def merged(directory: Path, base: dict[str, Any], *extras: dict[str, Any]) -> Settings:
    paths = [write(directory, f"extra{number}.yaml", extra) for number, extra in enumerate(extras)]
    return load_text(base, {"EXTRA_CONFIG": " , ".join(map(str, paths))}).settings


def test_mappings_merge_key_by_key(tmp_path: Path) -> None:
    base = with_value(("config", "backend_weight"), {"red": 1, "blue": 2})
    settings = merged(tmp_path, base, {"config": {"backend_weight": {"blue": 3, "green": 4}}})
    assert dict(settings.general.backend_weight) == {"red": 1, "blue": 3, "green": 4}


def test_lists_replace_each_other(tmp_path: Path) -> None:
    base = with_value(("config", "allowed_tags"), ["one", "two"])
    settings = merged(tmp_path, base, {"config": {"allowed_tags": ["three"]}})
    assert settings.general.allowed_tags == ("three",)


def test_a_null_sets_nothing(tmp_path: Path) -> None:
    base = with_value(("config", "task_limit"), 5)
    assert merged(tmp_path, base, {"config": {"task_limit": None}}).general.task_limit == 5
    assert merged(tmp_path, base, {"config": None}).general.task_limit == 5


def test_false_is_a_value_like_others(tmp_path: Path) -> None:
    base = with_value(("config", "create_linked_clones"), True)
    settings = merged(tmp_path, base, {"config": {"create_linked_clones": False}})
    assert settings.vsphere_defaults.create_linked_clones is False


def test_a_pool_of_the_same_name_is_changed_in_its_place(tmp_path: Path) -> None:
    extra = {"pools": [{"name": "linux", "size": 9}, {"name": "new", "size": 2, "template": "t"}]}
    pools = merged(tmp_path, with_pool(clone_target="red"), extra).pools
    assert [(pool.name, pool.size, pool.clone_target) for pool in pools] == [
        ("linux", 9, "red"),
        ("new", 2, None),
    ]


def test_symbols_and_plain_keys_merge_across_files(tmp_path: Path) -> None:
    extra = write(tmp_path, "extra.yaml", ":config:\n  :task_limit: 3\n:pools:\n- :name: linux\n  :size: 4\n")
    settings = load_text(COMPLETE, {"EXTRA_CONFIG": str(extra)}).settings
    assert (settings.general.task_limit, [pool.size for pool in settings.pools]) == (3, [4])


def test_a_pool_named_twice_in_an_extra_file_is_a_mistake_there(tmp_path: Path) -> None:
    extra = write(
        tmp_path, "extra.yaml", {"pools": [{"name": "linux", "size": 2}, {"name": "linux", "size": 3}]}
    )
    with pytest.raises(ConfigurationError) as caught:
        load_text(COMPLETE, {"EXTRA_CONFIG": str(extra)})
    duplicate = next(problem for problem in caught.value.problems if "another name" in problem.expected)
    assert (duplicate.source, duplicate.place) == (str(extra), "pools[1].name")


def test_a_mistake_is_placed_in_the_file_that_holds_it(tmp_path: Path) -> None:
    extra = write(tmp_path, "extra.yaml", "pools:\n- name: linux\n  ready_ttl: 0\n")
    with pytest.raises(ConfigurationError) as caught:
        load_text(COMPLETE, {"EXTRA_CONFIG": str(extra)})
    (problem,) = caught.value.problems
    assert (problem.source, problem.line, problem.place) == (str(extra), 3, "pools[0].ready_ttl")


def test_every_extra_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    broken = write(tmp_path, "broken.yaml", "config: [")
    listed = write(tmp_path, "list.yaml", "- 1\n")
    missing = tmp_path / "missing.yaml"
    with pytest.raises(ConfigurationError) as caught:
        load_text(COMPLETE, {"EXTRA_CONFIG": f"{broken},{listed},{missing},{tmp_path}"})
    assert [problem.source for problem in caught.value.problems] == [
        str(broken),
        str(listed),
        str(missing),
        str(tmp_path),
    ]
