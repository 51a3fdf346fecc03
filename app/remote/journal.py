"""How far a batch has come: a file beside its input, by which a later run goes on, each report once.

The first line says of what it is the journal; each other line that so many reports are settled. A
line is appended whole and forced to the disk after the server has answered. What is settled but was
not noted any more, since the run was killed, is sent again and is there already: each report carries
an external id, of the run and its line.
"""

import os
from pathlib import Path
from uuid import uuid4

from pydantic import Field, ValidationError

from app.schemas.fields import Shape

_LONGEST_HEAD = 10_000  # bytes


class Head(Shape):
    """What a run is about."""

    quickwin_batch: int = 1
    """Format of the journal."""
    input_sha256: str
    server: str
    institution: str
    source: str
    run: str = Field(default_factory=lambda: uuid4().hex)
    """Begins the external ids."""

    def differs(self, other: "Head") -> list[str]:
        """What makes it another run."""
        names = [name for name in type(self).model_fields if name != "run"]
        return [name for name in names if getattr(self, name) != getattr(other, name)]


class Failed(Shape):
    """A report that was refused."""

    line: int
    status: int | None
    """Null: the line could not be read, and was not sent."""
    code: str
    detail: str


class Mark(Shape):
    """So far everything is settled."""

    done: int = 0
    """Readable reports that were sent and answered, from the first on."""
    created: int = 0
    replayed: int = 0
    failed: tuple[Failed, ...] = ()
    """Since the mark before."""


class Unusable(Exception):
    """There is a journal, but not of this run."""


def forget(file: Path) -> None:
    """Remove a journal, if there is one; never anything else."""
    try:
        with file.open("rb") as opened:
            Head.model_validate_json(opened.readline(_LONGEST_HEAD))
    except FileNotFoundError:
        return
    except ValidationError as error:
        raise Unusable(f"{file} is no journal of a batch") from error
    file.unlink()


class Journal:
    """An open journal; `file` is None for a run that cannot be resumed."""

    def __init__(self, file: Path | None, head: Head) -> None:
        self.head = head
        self.marks: list[Mark] = []
        self._descriptor: int | None = None
        if file is not None:
            self._open(file)

    @property
    def last(self) -> Mark:
        """How far it has come."""
        return self.marks[-1] if self.marks else Mark()

    def append(self, mark: Mark) -> None:
        """Note how far it has come; it is on the disk when this returns."""
        self.marks.append(mark)
        if self._descriptor is not None:
            _write(self._descriptor, mark)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self, file: Path) -> None:
        if not file.exists():
            _begin(file, self.head)
        self._descriptor = os.open(file, os.O_RDWR | os.O_APPEND)
        content = file.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):  # the last line was being written when the run was killed
            os.ftruncate(self._descriptor, len(whole))
        first, *others = whole.splitlines() or [b""]
        try:
            head = Head.model_validate_json(first)
            self.marks = [Mark.model_validate_json(line) for line in others]
        except ValidationError as error:
            raise Unusable(f"{file} is no journal of a batch") from error
        if different := self.head.differs(head):
            raise Unusable(f"{file} is of a run with another {' and '.join(different)}")
        self.head = head


def _begin(file: Path, head: Head) -> None:
    """Make a journal with its head, or none; of two that do so at once, the first one's stays."""
    made = file.with_name(f"{file.name}.{head.run}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        _write(descriptor, head)
        os.link(made, file)
    except FileExistsError:
        pass
    finally:
        os.close(descriptor)
        made.unlink()
    _settle(file.parent)


def _write(descriptor: int, line: Shape) -> None:
    os.write(descriptor, line.model_dump_json().encode() + b"\n")
    os.fsync(descriptor)


def _settle(folder: Path) -> None:
    """Force a new name in a folder to the disk, where the platform lets us."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
