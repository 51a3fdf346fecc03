"""Indicators: of units and of the nation, their periods, and how these add up to years."""

from typing import Any

from app.db import Database
from tests.api.test_query_counts import statements
from tests.support.institution import API, Institution, Json

NAMES = {"id": "Indikator", "en": "Indicator"}
NEW: Json = {"code": "ikm", "name": NAMES, "unit_of_measure": "indeks 0-100"}


async def put(
    institution: Institution, key: str, period: str, status: int = 201, **value: Any
) -> Json:
    path = f"{institution.path}/indicators/{key}/values/{period}"
    return await institution.expect(status, "PUT", path, value)


async def quarters(
    institution: Institution, code: str, *pairs: tuple[float | None, float | None]
) -> Json:
    """Quarters of 2022 with target and actual value; the indicator's year."""
    ends = ("03-31", "06-30", "09-30", "12-31")
    for n, (target, actual) in enumerate(pairs):
        await put(
            institution, code, f"2022-B{3 * n + 3:02}", starts_on=f"2022-{3 * n + 1:02}-01",
            ends_on=f"2022-{ends[n]}", target=target, actual=actual,
        )  # fmt: skip
    (year,) = (await institution.get(f"indicators/{code}"))["years"]
    return dict(year)


async def test_what_was_entered_by_mistake_goes(institution: Institution) -> None:
    await institution.unit("A")
    await institution.post("indicators", {**NEW, "unit": "A"})
    await quarters(institution, "ikm", (80, 81), (82, 83))
    before = await institution.get("indicators/ikm")
    values = (await institution.get("indicators/ikm/values"))["items"]
    national = {**NEW, "code": f"n-{institution.code}"}
    await institution.expect(201, "POST", f"{API}/indicators", national)
    for address in (f"{institution.path}/indicators/ikm", f"{API}/indicators/{national['code']}"):
        told = await institution.expect(422, "DELETE", address, if_match="*")
        assert told["errors"][0]["code"] == "reason_owed"
        await institution.expect(
            403, "DELETE", f"{address}?reason=x", if_match="*", client=institution.reporter
        )
        await institution.expect(412, "DELETE", f"{address}?reason=x", if_match='"v99"')
        await institution.expect(204, "DELETE", f"{address}?reason=Keliru", if_match="*")
        await institution.expect(404, "GET", address)
    *_, event = (await institution.get("events"))["items"]
    assert (event["type"], event["subject"]) == ("indicator.deleted", "ikm")
    assert event["data"] == before | {"values": values, "reason": "Keliru"}
    await institution.post("indicators", NEW)  # its code is free


async def test_an_indicator_of_a_unit(institution: Institution) -> None:
    await institution.unit("A")
    await institution.unit("B", "A")
    planner = await institution.person("planner", "planner", "A")
    path = f"{institution.path}/indicators"
    body = {**NEW, "unit": "B", "baseline": 81.2, "baseline_year": 2021, "source": "Survei"}
    made = await institution.expect(201, "POST", path, body, client=planner)
    assert made == made | body | {
        "polarity": "higher", "aggregation": "last", "retired_on": None, "years": [], "version": 1,
    }  # fmt: skip
    whole = await institution.post("indicators", {**NEW, "code": "whole"})
    assert whole["unit"] == institution.code
    assert (await institution.expect(409, "POST", path, {**NEW, "code": "IKM"}))[
        "code"
    ] == "code_taken"
    await institution.expect(403, "POST", path, body, client=institution.reporter)
    for wrong, pointer in (
        ({"unit": "nowhere"}, "/unit"), ({"baseline": 1.005}, "/baseline"), ({"baseline": 2e12}, "/baseline"),
        ({"baseline": "81"}, "/baseline"), ({"polarity": "up"}, "/polarity"), ({"name": {"id": "x"}}, "/name/en"),
        ({"aggregation": "median"}, "/aggregation"), ({"unit_of_measure": ""}, "/unit_of_measure"),
    ):  # fmt: skip
        told = await institution.expect(422, "POST", path, {**body, "code": "x", **wrong})
        assert told["errors"][0]["pointer"] == pointer, wrong
    await institution.expect(404, "GET", f"{path}/whole", client=planner)
    for asked, codes in (({"unit": "A"}, ["ikm"]), ({}, ["ikm", "whole"]), ({"retired": True}, [])):
        found = (await institution.get("indicators", **asked))["items"]
        assert [each["code"] for each in found] == codes, asked
    changes = {"name": {"id": "Baru", "en": "New"}, "baseline": None}
    changed = await institution.patch("indicators/ikm", changes)
    assert changed == made | changes | {"version": 2, "updated_at": changed["updated_at"]}
    # It is in the way of a deletion, and goes along with a merger.
    assert (await institution.delete("units/B", 409))["code"] == "in_use"
    await institution.expect(
        200, "POST", f"{institution.path}/units/B/merge", {"into": "A"}, if_match="*"
    )
    merged = await institution.get("indicators/ikm")
    assert (merged["unit"], merged["version"]) == ("A", 3)


async def test_periods_add_up_as_the_indicator_says(
    institution: Institution, database: Database
) -> None:
    plan: tuple[tuple[float | None, float | None], ...] = (
        (10, 8), (10, 13.5), (20, None), (None, 4),
    )  # fmt: skip
    expected = {
        ("sum", "higher"): (40, 25.5, 20, 107.5),
        ("last", "higher"): (20, 4, 10, 135),
        ("average", "higher"): (13.33, 8.5, 10, 107.5),
        ("average", "lower"): (13.33, 8.5, 10, 92.5),
        ("last", "lower"): (20, 4, 10, 65),
    }
    for (how, polarity), (target, actual, to_date, achieved) in expected.items():
        code = f"{how}-{polarity}"
        await institution.post(
            "indicators", {**NEW, "code": code, "aggregation": how, "polarity": polarity}
        )
        assert await quarters(institution, code, *plan) == {
            "year": 2022, "periods": 4, "measured": 3, "target": target, "actual": actual,
            "target_to_date": to_date, "achieved_percent": achieved,
        }, code  # fmt: skip
    with statements(database) as heard:
        await institution.get("indicators/sum-higher")
    few = len(heard)
    with statements(database) as heard:
        await institution.get("indicators/sum-higher/values")
    assert max(few, len(heard)) <= 6
    await institution.post("indicators", {**NEW, "code": "none"})
    assert (await quarters(institution, "none", (0, 5), (None, None)))["achieved_percent"] is None


async def test_a_period_is_set_whole_and_again(institution: Institution) -> None:
    await institution.post("indicators", NEW)
    span: Json = {"starts_on": "2022-01-01", "ends_on": "2022-12-31"}
    made = await put(institution, "ikm", "Y2022", **span, target=80.5)
    assert made == made | span | {
        "period": "Y2022", "target": 80.5, "actual": None, "achieved_percent": None, "version": 1,
    }  # fmt: skip
    again = await put(
        institution, "IKM", "y2022", 200, **span, actual=99_999_999_999.99, target=-0.01
    )
    assert (again["actual"], again["target"], again["version"]) == (99_999_999_999.99, -0.01, 2)
    assert (await institution.get("indicators/ikm"))["version"] == 3
    event = (await institution.get("events", sort="-sequence", limit=1))["items"][0]
    assert (event["type"], event["subject"]) == ("indicator.value_set", "ikm/values/Y2022")
    assert event["changes"]["target"] == {"before": 80.5, "after": -0.01}
    path = f"{institution.path}/indicators/ikm/values/Y2022"
    await institution.expect(412, "PUT", path, span, if_match='"v1"')
    await institution.expect(403, "PUT", path, span, client=institution.reporter)
    for wrong, pointer in (
        ({"ends_on": "2021-12-31"}, ""), ({"actual": 0.001}, "/actual"), ({"actual": 1e13}, "/actual"),
        ({"target": "80"}, "/target"), ({"starts_on": "2022"}, "/starts_on"), ({"year": 2022}, "/year"),
    ):  # fmt: skip
        told = await institution.expect(422, "PUT", path, {**span, **wrong})
        assert told["errors"][0]["pointer"] == pointer, wrong
    await institution.expect(404, "PUT", f"{path}%20x", span)
    await institution.expect(404, "PUT", path.replace("ikm", "nothing"), span)
    await put(institution, "ikm", "2023", starts_on="2023-01-01", ends_on="2023-12-31")
    for asked, periods in (
        ({}, ["Y2022", "2023"]),
        ({"year": 2023}, ["2023"]),
        ({"year": 1950}, []),
    ):
        found = (await institution.get("indicators/ikm/values", **asked))["items"]
        assert [each["period"] for each in found] == periods
    # Retired, it keeps what it has, and takes nothing for what comes after.
    await institution.patch("indicators/ikm", {"retired_on": "2023-01-01"})
    told = await institution.expect(
        422,
        "PUT",
        path.replace("Y2022", "2024"),
        {**span, "starts_on": "2023-01-01", "ends_on": "2023-12-31"},
    )
    assert told["errors"][0]["code"] == "retired_indicator"
    await put(institution, "ikm", "Y2022", 200, **span, actual=81)
    assert [year["year"] for year in (await institution.get("indicators/ikm"))["years"]] == [
        2022,
        2023,
    ]
    assert len((await institution.get("indicators", retired=True))["items"]) == 1
    assert (await institution.get("indicators", retired=False))["items"] == []


async def test_national_indicators(institution: Institution) -> None:
    path = f"{API}/indicators"
    found = await institution.expect(
        200, "GET", path, parameters={"limit": 200}, client=institution.reporter
    )
    seeded = {each["code"]: each for each in found["items"]}
    assert {
        "ease-of-doing-business", "corruption-perceptions-index", "government-effectiveness-index",
        "trust-barometer",
    } <= seeded.keys()  # fmt: skip
    assert seeded["ease-of-doing-business"]["retired_on"] == "2021-09-16"
    assert all(each["unit"] is None for each in found["items"])
    code = f"n-{institution.code}"
    new = {**NEW, "code": code}
    await institution.expect(403, "POST", path, new, client=institution.reporter)
    made = await institution.expect(201, "POST", path, new)
    await institution.expect(422, "POST", path, {**new, "code": "x", "unit": institution.code})
    value = {"starts_on": "2022-01-01", "ends_on": "2022-12-31", "actual": 34}
    for status in (201, 200):
        await institution.expect(status, "PUT", f"{path}/{code}/values/2022", value)
    for method, to, body in (
        ("PUT", f"{path}/{code}/values/2022", value),
        ("PATCH", f"{path}/{code}", {"baseline": 1}),
    ):
        await institution.expect(403, method, to, body, if_match="*", client=institution.reporter)
    changed = await institution.expect(
        200, "PATCH", f"{path}/{code}", {"aggregation": "sum"}, if_match=f'"v{made["version"] + 2}"'
    )
    assert changed["years"][0]["actual"] == 34
    listed = await institution.expect(
        200, "GET", f"{path}/{code}/values", client=institution.reporter
    )
    assert [each["actual"] for each in listed["items"]] == [34]
    # It is nobody's in particular: not in an institution's list, nor at its address.
    await institution.expect(404, "GET", f"{institution.path}/indicators/{code}")
    assert (await institution.get("indicators"))["items"] == []
    feed = await institution.expect(
        200, "GET", f"{API}/events", parameters={"sort": "-sequence", "limit": 1}
    )
    assert feed["items"][0]["type"] == "indicator.changed"
