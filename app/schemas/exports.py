"""Exports on the wire: what may be asked for, and in which form."""

from enum import StrEnum
from typing import Literal

from app.schemas.attention import MilestonesFilter
from app.schemas.fields import Reference, Shape
from app.schemas.initiatives import InitiativeFilter
from app.schemas.pages import Paging
from app.schemas.periods import MissingFilter, MissingQuery
from app.schemas.rollups import RollupQuery
from app.schemas.updates import UpdateFilter


class Format(StrEnum):
    """How rows are written."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"


class CsvForm(Shape):
    """How CSV is written; for the other formats these say nothing."""

    delimiter: Literal[",", ";"] = ","
    """Between fields: `;` for spreadsheets where a comma separates decimals."""
    bom: bool = False
    """Begin with the mark by which Excel knows UTF-8."""


class InitiativeExport(InitiativeFilter, CsvForm):
    """Which initiatives are exported: the filters of their list. By code."""


class MilestoneExport(MilestonesFilter, CsvForm):
    """Which milestones are exported: the filters of their list. By initiative and number."""


class UpdateExport(UpdateFilter, CsvForm):
    """Which reports are exported: the filters of their list. Newest first."""


class _OfPeriod(MissingFilter):
    period: Reference
    """Code of the reporting period."""


class MissingExport(_OfPeriod, CsvForm):
    """Which of those that owe a report on a period are exported: the filters of their list."""


class MissingOfPeriodQuery(_OfPeriod, MissingQuery):
    """One page of an export of missing reports."""


class _Subtree(RollupQuery):
    unit: Reference | None = None
    """Code of the unit with which the subtree begins; the root if left out."""


class RollupExport(_Subtree, CsvForm):
    """The units of a subtree, each with its roll-up. By code."""


class RollupsQuery(_Subtree, Paging):
    """One page of an export of roll-ups."""
