"""Section 9.4 of the checklist: summaries of days, which are UTC days by Redis's clock."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.api.in_process import Api
from tests.store.fleet import Fleet
from tests.support.past_days import note_durations

SUMMARY = "/api/v3/summary"
NO_DURATION = {"average": 0, "min": 0, "max": 0, "total": 0}


async def today_of(fleet: Fleet) -> date:
    return datetime.fromtimestamp(await fleet.server_ms() / 1000, UTC).date()


async def day_from_today(api: Api, days: int) -> str:
    return (await today_of(api.fleet) + timedelta(days=days)).isoformat()


async def summary(api: Api, path: str = "", **days: str) -> dict[str, Any]:
    answer = await api.client.get(f"{SUMMARY}{path}", params=days)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    content: dict[str, Any] = answer.json()
    return content


async def refusal(api: Api, path: str = "", **days: str) -> str:
    answer = await api.client.get(f"{SUMMARY}{path}", params=days)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/json")
    assert list(answer.json()) == ["ok", "message"]
    assert answer.json()["ok"] is False
    message: str = answer.json()["message"]
    return message


async def two_boots(api: Api) -> None:
    await note_durations(api.fleet, "boot", "pool1", 10.5, 20.25)


async def tag(api: Api, tags: Mapping[str, Mapping[str, str]]) -> None:
    """Take VMs and tag them: VM -> tag -> value."""
    await api.fleet.running("pool1", *tags)
    for vm, of_vm in tags.items():
        answer = await api.client.put(f"/api/v3/vm/{vm}", json={"tags": of_vm})
        assert answer.status_code == 200


async def test_061_without_parameters_it_is_a_summary_of_today(api: Api) -> None:
    """[C] Given no parameters, when GET `/summary`, then 200, members daily, boot, clone, tag in this
    order, one daily element with today's date.
    """
    today = await day_from_today(api, 0)
    answer = await api.client.get(SUMMARY)
    content = answer.json()
    assert list(content) == ["daily", "boot", "clone", "tag"]
    assert [list(day) for day in content["daily"]] == [["date", "boot", "clone", "tag"]]
    assert content["daily"][0] == {
        "date": today,
        "boot": {"duration": NO_DURATION, "count": {"total": 0}},
        "clone": {"duration": NO_DURATION, "count": {"total": 0}},
        "tag": {},
    }
    assert answer.text == json.dumps(content, indent=2)


async def test_062_the_days_of_a_range_come_in_ascending_order(api: Api) -> None:
    """[C] Given `from` six days ago, then seven daily elements in ascending order."""
    days = [await day_from_today(api, number) for number in range(-6, 1)]
    assert [day["date"] for day in (await summary(api, **{"from": days[0]}))["daily"]] == days


async def test_063_a_date_in_another_form_is_refused(api: Api) -> None:
    """[C] Given `from=01-01-2015` (wrong form), then 400 with the text `Invalid date format
    '01-01-2015', must match YYYY-MM-DD.` somewhere in the body.
    """
    expected = "Invalid date format '01-01-2015', must match YYYY-MM-DD."
    assert await refusal(api, **{"from": "01-01-2015"}) == expected
    assert await refusal(api, to="01-01-2015") == expected


async def test_064_to_may_not_come_before_from(api: Api) -> None:
    """[C] Given `to` before `from`, then 400 mentioning `'to' cannot come before 'from'`."""
    expected = "Date range is invalid, 'to' cannot come before 'from'."
    assert await refusal(api, **{"from": "2015-01-02"}, to="2015-01-01") == expected
    assert await refusal(api, to=await day_from_today(api, -1)) == expected


async def test_065_from_may_not_be_in_the_future(api: Api) -> None:
    """[C] Given `from` tomorrow, then 400 mentioning `'from' must be in the past`."""
    tomorrow = await day_from_today(api, 1)
    expected = "Date range is invalid, 'from' must be in the past."
    assert await refusal(api, **{"from": tomorrow}, to=tomorrow) == expected


async def test_066_to_may_be_in_the_future(api: Api) -> None:
    """[C] Given `to` tomorrow and `from` today, then 200 with two daily elements."""
    days = [await day_from_today(api, 0), await day_from_today(api, 1)]
    daily = (await summary(api, **{"from": days[0]}, to=days[1]))["daily"]
    assert [day["date"] for day in daily] == days


async def test_067_a_day_that_no_calendar_has_is_refused(api: Api) -> None:
    """[H] Given `from=2020-13-45`, then 400."""
    for impossible in ("2020-13-45", "2021-02-29", "0000-01-01", "2020-01-01\n"):
        expected = f"Invalid date format '{impossible}', must match YYYY-MM-DD."
        assert await refusal(api, **{"from": impossible}) == expected


async def test_068_a_range_of_more_than_a_year_is_refused(api: Api) -> None:
    """[H] Given a range of centuries, then 400 quickly."""
    expected = "Date range is invalid, it cannot be longer than 366 days."
    today = await day_from_today(api, 0)
    assert await refusal(api, **{"from": "0001-01-01"}, to="9999-12-31") == expected
    assert await refusal(api, **{"from": "0001-01-01"}) == expected
    assert await refusal(api, to="9999-12-31") == expected
    assert await refusal(api, **{"from": await day_from_today(api, -366)}, to=today) == expected
    assert len((await summary(api, **{"from": await day_from_today(api, -365)}))["daily"]) == 366


async def test_069_a_day_tells_durations_and_counts_by_pool(api: Api) -> None:
    """[C] Given boot entries `pool1:a`=10.5 and `pool1:b`=20.25 today, then daily
    `boot.duration.pool.pool1` = total 30.75, average 15.4, min 10.5, max 20.25 and
    `boot.count.pool.pool1.total` = 2.
    """
    await two_boots(api)
    boot = (await summary(api))["daily"][0]["boot"]
    of_pool = {"total": 30.75, "average": 15.4, "min": 10.5, "max": 20.25}
    assert boot == {
        "duration": {"average": 15.4, "min": 10.5, "max": 20.25, "total": 30.75, "pool": {"pool1": of_pool}},
        "count": {"total": 2, "pool": {"pool1": {"total": 2}}},
    }
    assert list(boot["duration"]) == ["average", "min", "max", "total", "pool"]
    assert list(boot["duration"]["pool"]["pool1"]) == ["total", "average", "min", "max"]


async def test_070_the_whole_adds_the_days_up(api: Api) -> None:
    """[C] Given the same, then overall `boot.duration.total` = 30.75, `boot.count.total` = 2 and `pool`
    maps exist.

    Better than 3.9.1: averages are those of the durations, and the documented members are there.
    """
    await two_boots(api)
    await note_durations(api.fleet, "boot", "pool1", 3, days_ago=2)
    await note_durations(api.fleet, "boot", "pool2", 100, days_ago=2)
    boot = (await summary(api, **{"from": await day_from_today(api, -2)}))["boot"]
    assert boot == {
        "duration": {
            "average": 33.4,
            "min": 3,
            "max": 100,
            "total": 133.75,
            "pool": {
                "pool1": {"total": 33.75, "min": 3, "max": 20.25, "average": 11.25},
                "pool2": {"total": 100, "min": 100, "max": 100, "average": 100},
            },
        },
        "count": {
            "average": 1.3,
            "min": 0,
            "max": 2,
            "total": 4,
            "pool": {"pool1": {"total": 3}, "pool2": {"total": 1}},
        },
    }


async def test_071_what_belongs_to_no_configured_pool_is_counted_all_the_same(api: Api) -> None:
    """[C] Given a boot entry whose field has no colon, then it is counted under pool `unknown`.

    In 3.9.1 an entry may lack its pool; here each names one, which may be configured no more.
    """
    await two_boots(api)
    await note_durations(api.fleet, "boot", "el:9", 4)
    boot = (await summary(api))["boot"]
    assert boot["count"]["total"] == 3
    assert boot["count"]["pool"] == {"el:9": {"total": 1}, "pool1": {"total": 2}}


async def test_072_tags_are_counted_by_value(api: Api) -> None:
    """[C] Given tag fields `a:project`=x, `b:project`=y, `c:project`=x today, then `tag.project` = x 2,
    y 1, total 3.
    """
    await tag(api, {"a": {"project": "x"}, "b": {"project": "y"}, "c": {"project": "x"}})
    content = await summary(api)
    expected = {"project": {"x": 2, "y": 1, "total": 3}}
    assert content["tag"] == content["daily"][0]["tag"] == expected
    assert list(content["tag"]["project"])[-1] == "total"


async def test_073_one_statistic_is_told_alone(api: Api) -> None:
    """[C] Given `/summary/boot`, then only `boot` and `daily` (elements with date and boot)."""
    await two_boots(api)
    whole, alone = await summary(api), await summary(api, "/boot")
    assert list(alone) == ["boot", "daily"]
    assert [list(day) for day in alone["daily"]] == [["date", "boot"]]
    assert alone["boot"] == whole["boot"]
    assert alone["daily"][0]["boot"] == whole["daily"][0]["boot"]
    assert list(await summary(api, "/clone/")) == ["clone", "daily"]


async def test_074_one_member_is_told_alone(api: Api) -> None:
    """[C] Given `/summary/boot/count`, then only `count` below boot, in total and daily."""
    await two_boots(api)
    content = await summary(api, "/boot/count")
    assert list(content["boot"]) == list(content["daily"][0]["boot"]) == ["count"]
    assert content["boot"]["count"]["total"] == 2


async def test_075_of_an_unknown_member_nothing_is_told(api: Api) -> None:
    """[C] Given `/summary/boot/nonsense`, then 200 with empty objects."""
    today = await day_from_today(api, 0)
    assert await summary(api, "/boot/nonsense") == {"boot": {}, "daily": [{"date": today, "boot": {}}]}


async def test_076_one_tag_is_told_alone(api: Api) -> None:
    """[C] Given `/summary/tag/project`, then only tag `project`."""
    await tag(api, {"a": {"project": "x", "team": "y"}})
    content = await summary(api, "/tag/project")
    assert content["tag"] == content["daily"][0]["tag"] == {"project": {"x": 1, "total": 1}}


async def test_077_other_statistics_are_not_found(api: Api) -> None:
    """[C] Given `/summary/other`, then 404 plain."""
    for path in ("/other", "/other/key"):
        answer = await api.client.get(SUMMARY + path)
        assert (answer.status_code, answer.json()) == (404, {"ok": False})


async def test_078_a_refusal_is_json(api: Api) -> None:
    """[H] Given a 400, then the body is valid JSON."""
    assert '"' in await refusal(api, **{"from": 'a"b'})
    await refusal(api, "/other", **{"from": "no day"})
