"""What is read from the body of a change of a VM: tags, a lifetime, a disk."""

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.config.documents import load_text
from vmpooler_api.vms.changes import ChangeParser
from vmpooler_api.vms.fields import LifetimeParser, TagParser
from vmpooler_api.vms.tasks import disk_of
from vmpooler_api.web.errors import BadRequest, UnfitChange
from vmpooler_api.web.request import Numeral, parse_json
from vmpooler_common.model.vm import TaskKind, TaskState
from vmpooler_common.store.vms.changes import Access, VmChange

LONGEST = 876_000
"""Hours."""
JENKINS = (
    "https://ci.example.test/job/suite_installer_main/PLATFORM=debian-12,RMM_COMPONENT=a%20b/17/?x=1&y#z"
)


def failures_of(parser: LifetimeParser | TagParser, value: Any) -> tuple[str, ...]:
    with pytest.raises(UnfitChange) as caught:
        parser.parse(value)
    return caught.value.failures


# Lifetimes


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("1", 1),
        ('"1"', 1),
        ('"5abc"', 5),
        ('" 12 "', 12),
        ('"+3"', 3),
        ('"007"', 7),
        ('"1_000"', 1000),
        ("1.9", 1),
        ("2e2", 200),
        (f"{LONGEST}", LONGEST),
        (f'"{LONGEST}"', LONGEST),
    ],
)
def test_a_lifetime_is_the_number_that_a_value_begins_with(text: str, hours: int) -> None:
    assert LifetimeParser(None).parse(parse_json(text.encode())) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("null", ""),
        ("0", "0"),
        ('"0"', "0"),
        ('"bad"', "bad"),
        ('""', ""),
        ('"_5"', "_5"),
        ('"-5"', "-5"),
        ("-1.5", "-1.5"),
        ("0.9", "0.9"),
        ("true", "true"),
        ("[8]", "[8]"),
        ('{"hours": 8}', '{"hours": 8}'),
        ("NaN", "NaN"),
        ("-1e999", "-1e999"),
        ('"\\ud800"', "?"),
    ],
)
def test_a_lifetime_that_is_no_number_above_0_is_refused(text: str, shown: str) -> None:
    failures = failures_of(LifetimeParser(None), parse_json(text.encode()))
    assert failures == (f"Lifetime must be a positive integer (got {shown})",)


@pytest.mark.parametrize("text", [str(LONGEST + 1), "1e400", "9" * 5000, '"' + "9" * 5000 + '"', "Infinity"])
def test_a_lifetime_beyond_all_use_is_refused(text: str) -> None:
    failures = failures_of(LifetimeParser(None), parse_json(text.encode()))
    assert failures == (f"Lifetime must be at most {LONGEST} (got {text.strip(chr(34))})",)


@pytest.mark.parametrize(
    ("limit", "allowed", "refused", "shown"),
    [(168, "167", "168", "168"), (168, "1", "9" * 50, "168"), (1.5, "1", "2", "1.5")],
)
def test_a_lifetime_has_to_be_below_the_limit(limit: float, allowed: str, refused: str, shown: str) -> None:
    parser = LifetimeParser(timedelta(hours=limit))
    assert parser.parse(allowed) == timedelta(hours=int(allowed))
    failure = f"You provided a lifetime ({refused}) that exceeds the configured maximum of {shown}."
    assert failures_of(parser, refused) == (failure,)


# Tags


def tags(*, allowed: list[str] | None = None, **filters: str) -> TagParser:
    """Make a parser; `filters`: key -> pattern."""
    return TagParser(allowed=allowed, filters={key: re.compile(text) for key, text in filters.items()})


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({}, {}),
        ({"tested_by": "rspec"}, {"tested_by": "rspec"}),
        ({"a.b-c_9": "50%"}, {"a.b-c_9": "50%"}),
        ({"jenkins_build_url": JENKINS}, {"jenkins_build_url": JENKINS}),
        ({"a": "", "b": None, "c": "x"}, {"c": "x"}),
        ({"a" * 50: "x" * 255}, {"a" * 50: "x" * 255}),
        ({"a": "two\nlines\tand a tab"}, {"a": "two\nlines\tand a tab"}),
    ],
)
def test_tags_are_texts_and_those_without_a_value_are_left_out(value: Any, kept: Any) -> None:
    assert tags().parse(value) == kept


@pytest.mark.parametrize(
    ("key", "value", "failure"),
    [
        ("", "x", "Tag key is required"),
        ("a b", "x", "Invalid tag key format"),
        ("é", "x", "Invalid tag key format"),
        ("a:b", "x", "Invalid tag key format"),
        ("a\n", "x", "Invalid tag key format"),
        ("a b", None, "Invalid tag key format"),
        ("a" * 51, "x", "Tag key too long"),
        ("a", "x" * 256, "Tag value too long"),
        ("a", "value<script>", "Tag value contains invalid characters"),
        ("a", 'say "x"', "Tag value contains invalid characters"),
        ("a", "é", "Tag value contains invalid characters"),
        ("a", "x\0", "Tag value contains invalid characters"),
        ("a", "\u2003", "Tag value contains invalid characters"),
        *(
            ("a", value, "Tag value must be a string")
            for value in (Numeral("1"), Numeral("1.5"), True, False, [], ["x"], {}, {"x": "y"})
        ),
    ],
)
def test_keys_and_values_of_tags_have_a_form(key: str, value: Any, failure: str) -> None:
    assert failures_of(tags(), {key: value}) == (failure,)


def test_each_wrong_tag_is_told_once_in_the_order_of_the_body() -> None:
    assert failures_of(tags(), {"a b": "<", "good": "one", "d": "<"}) == (
        "Invalid tag key format",
        "Tag value contains invalid characters",
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x", "x"),
        (Numeral("1"), "1"),
        (None, ""),
        (True, "true"),
        ([], "[]"),
        ([Numeral("1"), {"a": "b"}], '[1, {"a": "b"}]'),
    ],
)
def test_tags_are_an_object(value: Any, shown: str) -> None:
    assert failures_of(tags(), value) == (f"You provided tags ({shown}) as something other than a hash.",)


def test_with_a_tag_that_is_not_allowed_none_is_accepted() -> None:
    parser = tags(allowed=["created_by", "project"])
    assert parser.parse({"project": "x"}) == {"project": "x"}
    failure = 'You provided unsuppored tags ({"project": "x", "tested_by": "y"}).'
    assert failures_of(parser, {"project": "x", "tested_by": "y"}) == (failure,)


def test_an_empty_list_of_allowed_tags_allows_none() -> None:
    assert tags(allowed=[]).parse({}) == {}
    assert failures_of(tags(allowed=[]), {"a": "b"}) == ('You provided unsuppored tags ({"a": "b"}).',)


@pytest.mark.parametrize(
    ("pattern", "value", "kept"),
    [
        (r"(.*)\/", "foo.com/something.html", {"url": "foo.com"}),
        (r"(.*)\/", "foo.com", {"url": "foo.com"}),
        (r"[a-z]+[.]com", "http://foo.com/one", {"url": "foo.com"}),
        (r"^(x)?(y)?", "y", {"url": "y"}),
        (r"^(x)?(y)?", "z", {}),
    ],
)
def test_of_a_value_that_a_filter_matches_its_groups_are_kept(
    pattern: str, value: str, kept: dict[str, str]
) -> None:
    assert tags(url=pattern).parse({"url": value, "other": value}) == kept | {"other": value}


# Disks

NO_DIGITS: list[Any] = ["", "abc", "1.5", "-1", "8 ", "8\n", "\u0663", Numeral("1.5")]


@pytest.mark.parametrize(
    ("size", "detail"), [("1", "1"), ("8", "8"), ("0008", "8"), ("2048", "2048"), (Numeral("8"), "8")]
)
def test_a_disk_is_a_task_of_so_many_gigabytes(size: str, detail: str) -> None:
    task = disk_of(size)
    assert (task.kind, task.detail, task.state) == (TaskKind.DISK, detail, TaskState.PENDING)
    assert re.fullmatch("[a-z][a-z0-9]{31}", task.id)


@pytest.mark.parametrize(
    ("size", "error"),
    [
        ("0", "Disk size must be at least 1"),
        ("000", "Disk size must be at least 1"),
        ("2049", "Disk size must be at most 2048"),
        ("9" * 5000, "Disk size must be at most 2048"),
        *((size, "Disk size must be a valid integer") for size in [*NO_DIGITS, True, None, ["8"], {}]),
    ],
)
def test_a_wrong_size_of_a_disk_is_explained(size: Any, error: str) -> None:
    with pytest.raises(ValueError, match=rf"^{error}$"):
        disk_of(size)


# Whole bodies


def parser(auth: str | None = None, **config: Any) -> ChangeParser:
    pool = {"name": "pool1", "size": 1, "template": "templates/pool1", "provider": "dummy"}
    document = {"config": config, "pools": [pool]} | ({} if auth is None else {"auth": {"provider": auth}})
    return ChangeParser(load_text(document, {"VMPOOLER_DEBUG": "1"}).settings)


def test_a_body_may_hold_several_changes() -> None:
    found = parser().parse(b'{"lifetime": "7", "tags": {"a": "50%"}, "disk": 8}')
    assert found.refusal is None
    assert (found.change.lifetime, found.change.tags) == (timedelta(hours=7), {"a": "50%"})
    assert found.change.disk is not None
    assert found.change.disk.detail == "8"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"tags": {}}', b'{"tags": {"a": null}}'])
def test_a_body_may_change_nothing(body: bytes) -> None:
    found = parser().parse(body)
    assert (found.change, found.refusal) == (VmChange(), None)


@pytest.mark.parametrize("body", [b"{bad", b"[]", b"null", b'"tags"', b"\xff", b" ", b"{}".ljust(10_241)])
def test_what_is_no_object_of_json_changes_nothing(body: bytes) -> None:
    found = parser().parse(body)
    assert found.change == VmChange()
    assert isinstance(found.refusal, BadRequest)


def test_all_that_is_wrong_is_told_in_the_order_of_the_body_and_nothing_is_changed() -> None:
    body = b'{"foo": "bar", "tags": {"a b": "c", "d": "<"}, "lifetime": 0, "disk": 0, "ok": false}'
    found = parser().parse(body)
    assert found.change == VmChange()
    assert isinstance(found.refusal, UnfitChange)
    assert found.refusal.failures == (
        "Unknown argument bar.",
        "Invalid tag key format",
        "Tag value contains invalid characters",
        "Lifetime must be a positive integer (got 0)",
        "Disk size must be at least 1",
        "Unknown argument false.",
    )


def test_the_configuration_limits_lifetimes_and_tags() -> None:
    limited = parser(max_lifetime_upper_limit=168, allowed_tags=["project"])
    found = limited.parse(b'{"lifetime": 168, "tags": {"a": "b"}}')
    assert isinstance(found.refusal, UnfitChange)
    assert found.refusal.failures == (
        "You provided a lifetime (168) that exceeds the configured maximum of 168.",
        'You provided unsuppored tags ({"a": "b"}).',
    )


@pytest.mark.parametrize(
    ("auth", "body", "access"),
    [
        (None, b"{}", Access.ANYBODY),
        (None, b'{"foo": 1}', Access.ANYBODY),
        (None, b'{"lifetime": 5}', Access.HOLDER),
        (None, b'{"disk": 8}', Access.HOLDER),
        ("dummy", b'{"tags": {"a": "b"}}', Access.HOLDER),
        ("dummy", b'{"lifetime": 5, "tags": {"a": "b"}}', Access.KNOWN),
        ("dummy", b'{"tags": {"a": "b"}, "lifetime": 5}', Access.KNOWN),
        ("dummy", b'{"disk": 8}', Access.KNOWN),
        ("dummy", b'{"lifetime": 0}', Access.KNOWN),
    ],
)
def test_the_strictest_member_says_who_may_make_a_change(
    auth: str | None, body: bytes, access: Access
) -> None:
    assert parser(auth).parse(body).access is access
