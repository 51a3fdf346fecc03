"""A migration expands what the release before it relies on, and keeps nobody waiting."""

import copy
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest

from app.db import Database
from app.settings import Settings
from tests.support.migrations import (
    MIGRATIONS,
    Column,
    Shape,
    contractions,
    executed,
    on_connection,
    scripts,
    shape,
    step_to,
)
from tests.support.postgres import create_database

FREE = "0032"
"""Up to here migrations came before the rule; all were released."""
ACCEPTED = {
    "0011": {"adding-not-nullable-field", "changing-column-type", "require-concurrent-index-creation"},
    "0012": {"require-concurrent-index-creation"},
    "0023": {"require-concurrent-index-creation"},
    "0024": {"require-concurrent-index-creation"},
    "0026": {"require-concurrent-index-creation", "require-concurrent-index-deletion"},
    "0034": {"ban-drop-constraint"},
}  # fmt: skip
"""What squawk finds in migrations that were run before it was asked. Each is passed once, by whoever
comes from an older release; to make them anew would change what was tried, and help nobody else. And
a constraint that goes in a moment, with an index in its place."""


class Steps(NamedTuple):
    """What migrations execute, and what each after the rule makes of the schema."""

    executed: dict[str, str]
    shapes: dict[str, Shape]


@pytest.fixture(scope="module")
async def steps(postgres_server: str) -> AsyncIterator[Steps]:
    url = await create_database(postgres_server, f"steps_{uuid4().hex[:8]}")
    database = Database(Settings(database_url=url))
    revisions = [script.revision for script in scripts()]
    shapes = {}
    with executed(database) as statements:
        for revision in revisions:
            if revision >= FREE:
                await step_to(database, revision)
                shapes[revision] = await on_connection(database, shape)
    yield Steps(dict(zip(revisions, statements, strict=True)), shapes)
    await database.close()


def test_a_migration_expands(steps: Steps) -> None:
    """What takes something away says from which release on nobody misses it; see the README."""
    for script in scripts():
        if script.revision <= FREE:
            continue
        before, after = steps.shapes[str(script.down_revision)], steps.shapes[script.revision]
        named = getattr(script.module, "oldest_release", None)
        wrong = contractions(before, after)
        assert named or not wrong, f"{script.revision} says no `oldest_release`: {wrong}"
        assert named is None or named < script.revision, "the release before it no longer runs"


def test_the_linter_finds_nothing_new(steps: Steps, tmp_path: Path) -> None:
    program = shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which(
        "squawk"
    )
    if program is None:
        pytest.skip("squawk is not installed: it has no wheel for this system")
    for revision, text in steps.executed.items():
        (tmp_path / f"{revision}.sql").write_text(text, encoding="utf-8")
    told = subprocess.run(
        [program, "--config", MIGRATIONS.parent / ".squawk.toml", "--reporter", "json", *sorted(tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    findings = json.loads(told.stdout)
    found: dict[str, set[str]] = {}
    for finding in findings:
        found.setdefault(Path(finding["file"]).stem, set()).add(finding["rule_name"])
    assert found == ACCEPTED, [each for each in findings if Path(each["file"]).stem > FREE]


def test_the_linter_is_shown_what_matters(steps: Steps) -> None:
    concurrent = steps.executed["0031"]
    assert concurrent.index("COMMIT;") < concurrent.index("CREATE INDEX CONCURRENTLY")
    for text in steps.executed.values():
        assert text.startswith("BEGIN;\nSET LOCAL lock_timeout = '5000ms';")
        assert "SET LOCAL statement_timeout = 0;" in text


TEXT = Column("VARCHAR", 10, nullable=True, has_default=False)
OLD: Shape = {"unit": {"name": TEXT, "kind": TEXT}, "person": {"name": TEXT}}


def put(table: str, name: str, column: Column) -> Callable[[Shape], object]:
    return lambda made: made[table].__setitem__(name, column)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda made: made.pop("person"), ["person is gone"]),
        (lambda made: made["unit"].pop("kind"), ["unit.kind is gone"]),
        (lambda made: made["unit"].update(sort=made["unit"].pop("kind")), ["unit.kind is gone"]),
        (put("unit", "kind", TEXT._replace(type="INTEGER")), ["unit.kind has another type"]),
        (put("unit", "kind", TEXT._replace(length=9)), ["unit.kind is shorter"]),
        (put("unit", "kind", TEXT._replace(nullable=False)), ["unit.kind is owed"]),
        (put("unit", "new", TEXT._replace(nullable=False)), ["unit.new is new and owed"]),
        (put("unit", "new", TEXT), []),
        (put("unit", "new", TEXT._replace(nullable=False, has_default=True)), []),
        (put("unit", "kind", TEXT._replace(length=11)), []),
        (lambda made: made.update(more={"name": TEXT._replace(nullable=False)}), []),
    ],
)
def test_a_contraction_is_seen(change: Callable[[Shape], object], told: list[str]) -> None:
    made = copy.deepcopy(OLD)
    change(made)
    assert contractions(OLD, made) == told
