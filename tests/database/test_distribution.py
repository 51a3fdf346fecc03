"""Laid out over machines: every table has its place, and no constraint needs what is elsewhere."""

import ast
from pathlib import Path

import pytest
from sqlalchemy import UniqueConstraint, text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Session

from app import distribution
from app.db import Database
from app.distribution import COLUMN, UNIQUE_APART, places, statements, unkept
from app.keeping.container import Refused
from app.keeping.taking import take
from app.models import Base
from app.models.base import table as table_of
from app.settings import Settings
from tests.conftest import CITUS
from tests.support.migrations import step_to
from tests.support.server import quickwin
from tests.unit.test_architecture import FILES, tree
from tests.unit.test_queries import pieces

PLACES = {place.table: place for place in places()}
DISTRIBUTED = [table for table, place in PLACES.items() if place.kind == "distributed"]


def test_every_table_has_its_place() -> None:
    assert PLACES.keys() == set(Base.metadata.tables.values())
    of_none = [table.name for table in PLACES if COLUMN not in table.c]
    assert not {table.name for table in DISTRIBUTED} & set(of_none)
    assert all(place.reason for place in PLACES.values())


@pytest.mark.parametrize("table", DISTRIBUTED, ids=lambda table: table.name)
def test_what_is_unique_is_so_in_its_institution(table: object) -> None:
    found = next(each for each in DISTRIBUTED if each is table)
    assert not found.c[COLUMN].nullable
    keys = [found.primary_key.columns, *(index.columns for index in found.indexes if index.unique)]
    keys += [each.columns for each in found.constraints if isinstance(each, UniqueConstraint)]
    apart = {table_of(model): columns for model, columns in UNIQUE_APART.items()}.get(found)
    for key in keys:
        names = tuple(column.name for column in key)
        assert COLUMN in names or names == apart


def test_references_stay_in_one_shard_or_lead_to_every_machine() -> None:
    left = {(table.name, key) for table, key in unkept()}
    assert left == {
        ("api_token", "fk_api_token_institution_id_person_id"),
        ("browser_session", "fk_browser_session_institution_id_person_id"),
        ("calendar_feed", "fk_calendar_feed_institution_id_person_id"),
    }
    for table, place in PLACES.items():
        for key in table.foreign_key_constraints:
            there = PLACES[key.referred_table].kind
            assert there != "local"
            if place.kind == there == "distributed":
                own, other = (
                    [column.name for column in columns].index(COLUMN)
                    for columns in (key.columns, [each.column for each in key.elements])
                )
                assert own == other
            assert key.ondelete in {None, "CASCADE"}


def test_references_come_before_who_refers() -> None:
    order = list(PLACES)
    for table in order:
        for key in table.foreign_key_constraints:
            if PLACES[table].kind == "distributed":
                assert order.index(key.referred_table) <= order.index(table)


def test_what_is_done_is_not_done_again() -> None:
    names = frozenset(table.name for table in PLACES)
    assert list(statements("quickwin", names)) == []
    again = list(statements("quickwin", names - {"stage"}))
    assert [each for each in again if each.startswith("SELECT")] == [
        "SELECT create_distributed_table('stage', 'institution_id', colocate_with => 'event')"
    ]
    assert not any(each.startswith(("DROP", "ALTER TABLE")) for each in again)


def test_a_subquery_that_is_a_number_names_its_institution() -> None:
    """Beside a subquery that names it, Citus does not see that one of the row outside is of the same."""
    whole = {"healths._NEWS"}  # of all institutions at once: nothing in it names one
    found = {
        f"{path.stem}.{name}"
        for path in FILES
        for name, piece in pieces(tree(path))
        for made in ast.walk(piece)
        if isinstance(made, ast.Attribute) and made.attr == "scalar_subquery"
        if any(_is_correlated(node) for node in ast.walk(made))
    }
    assert found == whole


def _is_correlated(node: ast.AST) -> bool:
    sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
    return len(sides) == 2 and all(getattr(side, "attr", "") == COLUMN for side in sides)


async def test_where_there_is_no_citus_it_says_so(postgres_server: str) -> None:
    told = quickwin(postgres_server, "db", "distribute", "--dry-run", "--shards", "4")
    assert told.returncode == 0, told.stderr
    assert "SELECT create_reference_table('institution');" in told.stdout
    assert "create_distributed_table('event', 'institution_id', shard_count => 4" in told.stdout
    database = Database(Settings(database_url=postgres_server))
    assert isinstance(database.direct, AsyncEngine)
    with pytest.raises(distribution.NoCitus, match="CREATE EXTENSION citus"):
        await distribution.lay_out(database.direct, shards=4)
    await database.close()


ON_CITUS = pytest.mark.skipif(
    not CITUS, reason="TEST_CITUS_URL names no database of a Citus cluster"
)


@ON_CITUS
async def test_no_request_looks_for_shards_in_the_catalog(database: Database) -> None:
    """As the driver's question for each type of array would, for seconds on each connection."""

    def plan(session: Session) -> str:
        return "\n".join(session.scalars(text("EXPLAIN SELECT relname FROM pg_class")))

    assert "pg_class" in (told := await database.read(plan))
    assert "relation_is_a_known_shard" not in told


@ON_CITUS
async def test_no_backup_is_taken_beside_others(
    database: Database, configuration: Settings, tmp_path: Path
) -> None:
    await database.read(lambda session: session.execute(text("SELECT 1")))
    with pytest.raises(Refused, match="no snapshot is of one moment"):
        await take(configuration, tmp_path / "quickwin.backup", files=False)
    assert list(tmp_path.iterdir()) == []


@ON_CITUS
async def test_it_is_laid_out_on_a_cluster(configuration: Settings) -> None:
    database = Database(configuration)
    assert isinstance(database.direct, AsyncEngine)
    assert await distribution.lay_out(database.direct, shards=8) == []
    await step_to(database, "0032", down=True)
    await database.migrate()
    assert await distribution.lay_out(database.direct, shards=8) == []
    await database.close()
