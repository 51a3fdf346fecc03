"""Pages call people and units by their names, for as many statements however many there are."""

import re

from app.db import Database
from tests.api.test_query_counts import statements
from tests.support.institution import Institution
from tests.web.test_initiatives import shown

QUEUE = "verifications"


async def test_people_and_units_are_called_by_their_names(
    institution: Institution, database: Database
) -> None:
    await institution.unit("u-1")
    steps = [{"title": f"Part {n}", "due_on": "2022-03-31"} for n in range(1, 6)]
    await institution.initiative("QW-1", "u-1", milestones=steps)
    returned = await institution.report("QW-1", 1, 40, "2022-03-01")
    await institution.verify(returned, "returned", "Which list?")
    waiting = await institution.report("QW-1", 2, 30, "2022-03-01")
    asked = {"initiative": "QW-1", "title": "No server", "decision_asked": "Rent one?"}
    await institution.post("obstacles", asked)
    boss = await institution.person("boss", "admin")
    body = {"title": "First", "unit": "u-1"}
    frozen = await institution.expect(201, "POST", f"{institution.path}/reports", body, client=boss)
    step = "initiatives/QW-1/milestones/1"
    for path, client, told in (
        ("units/u-1", None, ("Initiative QW-1 · Unit u-1", "<small>Unit u-1 · ")),
        (QUEUE, institution.verifier, (">Unit u-1</a>", "· Reporter, ")),
        (f"updates/{waiting['id']}/verification", institution.verifier,
         ("Initiative QW-1 · Unit u-1", "Reported by Reporter, ")),
        (f"updates/{returned['id']}/verification", institution.verifier, ("· Verifier, ",)),
        ("reporting", institution.reporter, ("Returned by Verifier",)),
        (f"{step}/report", institution.reporter,
         ("Verifier has returned the report of 40%", "· Reporter\n", "Verifier: Which list?")),
        (f"{step}/updates/{returned['id']}", institution.reporter,
         ("· Reporter\n", "Verifier: Which list?")),
        (step, None, ("reported by Reporter, ", "Verifier, ")),
        (f"reports/{frozen['id']}", None, (", Boss</dd>",)),
        ("units/u-1/report", None, (" · Boss</small>",)),
    ):  # fmt: skip
        page = await shown(institution, path, client=client)
        for each in told:
            assert each in page, (path, each)
    late = re.compile(r"\b[0-9],[0-9]{3} days late")
    for path in ("units/u-1", "initiatives/QW-1", step):
        assert late.search(await shown(institution, path)), path
    assert late.search(await shown(institution, "reporting", client=institution.reporter))
    paths = (QUEUE, f"updates/{waiting['id']}/verification")
    few = [await cost(institution, database, path) for path in paths]
    for number in (3, 4, 5):
        await institution.report("QW-1", number, 10, "2022-03-01")
    assert [await cost(institution, database, path) for path in paths] == few
    await boss.aclose()


async def cost(institution: Institution, database: Database, path: str) -> int:
    """How many statements a page takes for a verifier."""
    with statements(database) as heard:
        await shown(institution, path, client=institution.verifier)
    return len(heard)
