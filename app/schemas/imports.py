"""Imports of spreadsheets on the wire."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from app.messages import Message, kept
from app.schemas.fields import Instant, Language, Reference, Shape
from app.schemas.pages import Paging

MOST_FAULTS = 5_000
Say = Callable[[str], str]
"""Translates a message for whoever reads it."""


class ImportMode(StrEnum):
    """What is done with a file: `check` says what would happen, `apply` makes it happen."""

    CHECK = "check"
    APPLY = "apply"


class ImportStatus(StrEnum):
    """How far an import is.

    `queued` and `running` go on; `checked`: no row is wrong, nothing was to be written; `applied`:
    all of it is written; `refused`: something is wrong, and nothing was written; `failed`: it could
    not be done, see `problem`; `cancelled`.
    """

    QUEUED = "queued"
    RUNNING = "running"
    CHECKED = "checked"
    APPLIED = "applied"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = frozenset({ImportStatus.QUEUED, ImportStatus.RUNNING})


class SheetFormat(StrEnum):
    """What sort of file it was."""

    XLSX = "xlsx"
    CSV = "csv"


class Fate(StrEnum):
    """What becomes of a row, if all is well with the others."""

    CREATE = "create"
    CHANGE = "change"
    UNCHANGED = "unchanged"
    ERROR = "error"


class Fault(Shape):
    """One thing wrong with one place of the sheet."""

    row: int | None
    """As the spreadsheet program numbers it; null where it is the sheet as a whole."""
    column: str | None
    """Its letters; null where it is the row as a whole, or a column that is missing."""
    field: str | None
    """Which of our columns it is, such as `unit` or `B03`; null where it is none of them."""
    code: str
    """Stable name of what is wrong."""
    detail: str
    """What is wrong, for people."""
    suggestion: str | None = None
    """Something that you see and may have meant."""


class NotedFault(Fault):
    """A fault as it was found, which can be told in any language."""

    template: str | None = None
    """Of `detail`, where there are values in it."""
    values: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _remember(cls, given: Any) -> Any:  # noqa: ANN401  whatever is given
        if isinstance(given, dict) and isinstance(given.get("detail"), Message):
            return given | kept(given["detail"])
        return given

    def told(self, say: Say) -> Fault:
        """The same fault in a language."""
        text = self.detail if self.template is None else Message(self.template, self.values)
        place = {name: getattr(self, name) for name in Fault.model_fields}
        return Fault(**place | {"detail": say(text)})


class RowFate(Shape):
    """One row of the sheet, and what becomes of it."""

    row: int
    """As the spreadsheet program numbers it."""
    code: str | None
    """Code of the initiative, as it was read."""
    fate: Fate
    changes: list[str]
    """Columns in which an initiative that is there differs."""


class FateCounts(Shape):
    """How many rows have which fate."""

    create: int = 0
    change: int = 0
    unchanged: int = 0
    error: int = 0


class ImportProblem(Shape):
    """Why an import failed."""

    code: str
    """Stable name of the kind of error, as in problems."""
    detail: str


class ImportSummary(Shape):
    """One import, without its rows."""

    id: UUID
    mode: ImportMode
    status: ImportStatus
    format: SheetFormat
    digest: str
    """SHA-256 of the file, hex."""
    total_rows: int
    """Rows of the plan; before they have been checked, all rows that have anything in them."""
    done_rows: int
    """How many have been dealt with so far, in the present attempt."""
    counts: FateCounts | None
    """Null until all rows have been checked."""
    total_faults: int | None
    """How many things are wrong; null until all rows have been checked."""
    formulas: int | None
    """Cells with formulas: the values that were saved with them were taken."""
    problem: ImportProblem | None
    submitted_by: str
    """Code of the person, or name of the token that acts for nobody in particular."""
    submitted_at: Instant
    finished_at: Instant | None
    expires_at: Instant
    """From then on it is not kept: neither what was read nor what became of it."""

    def told(self, say: Say) -> Self:
        """The same import in a language."""
        if self.problem is None:
            return self
        said = {"detail": say(self.problem.detail)}
        return self.model_copy(update={"problem": self.problem.model_copy(update=said)})


class Import(ImportSummary):
    """One import with the fate of every row; both lists are empty until all have been checked."""

    rows: list[RowFate]
    """In the order of the sheet."""
    faults: list[Fault]
    """In the order of the sheet, the first 5,000; `total_faults` counts all."""


class NotedImport(ImportSummary):
    """One import as `Import`, whose faults can be told in any language."""

    rows: list[RowFate]
    faults: list[NotedFault]

    def whole(self, say: Say) -> Import:
        """The import as it is told in a language."""
        told = self.told(say)
        fields = {name: getattr(told, name) for name in ImportSummary.model_fields}
        return Import(**fields, rows=self.rows, faults=[fault.told(say) for fault in self.faults])


class Outcome(Shape):
    """How an import ended."""

    counts: FateCounts
    total_faults: int
    formulas: int
    rows: list[RowFate]
    faults: list[NotedFault]


class NewImport(Shape):
    """What is to be done with the file."""

    mode: ImportMode
    """`check` writes nothing; `apply` writes all rows, or none if one of them is wrong."""


class ImportQuery(Paging):
    """How imports are filtered; newest first."""

    mode: list[ImportMode] = Field(default_factory=list)
    status: list[ImportStatus] = Field(default_factory=list)


class TemplateQuery(Shape):
    """What a template is for."""

    language: Language = Language.ID
    """Of headings and words."""
    unit: Reference | None = None
    """Code of a unit: only it and those below it are offered."""


class AnnotatedQuery(Shape):
    """How the annotated sheet is told."""

    language: Language | None = None
    """Of results and remarks; by `Accept-Language` if left out, else Indonesian."""
