"""The commands for a remote server, as their users type them, against a real server."""

import csv
import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from app.__main__ import REMOTE
from app.client import Quickwin, calls
from app.client.retries import Patience
from app.remote import journal as journals
from app.remote.commands import commands
from app.schemas.periods import Period
from app.settings import Settings
from tests.client.conftest import initiative
from tests.conftest import OPERATOR
from tests.support.originals import Originals
from tests.support.posts import PERIOD
from tests.support.scripted import problem, scripted
from tests.support.server import Server, serving

ROOT = Path(__file__).resolve().parents[2]
CODE = str(PERIOD["code"])
TYPED = "quickwin report --exter"
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, originals: Originals) -> Iterator[Server]:
    """A server that knows a little of what the demo has."""
    folder = tmp_path_factory.mktemp("remote")
    url = originals.migrated(folder / "quickwin.db")
    with serving(url, folder / "log", token=OPERATOR) as server:
        with Quickwin(server.url, OPERATOR, "kpu") as quickwin:
            quickwin.create_institution({"code": "kpu", "name": "KPU"})
            quickwin.create_unit({"code": "32", "name": "Jawa Barat [red]"})
            quickwin.create_person({"code": "reporter", "name": "R"})
            quickwin.create_initiative(initiative("QW-2022-014", "32", 6))
            quickwin.create_initiative(initiative("QW-2", "32", 4, title="[bold]Two"))
        yield server


@pytest.fixture
def world(server: Server, tmp_path: Path) -> dict[str, str]:
    """What a command sees: a server, a token, and a home of its own."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("QUICKWIN")}
    return plain | {
        "QUICKWIN_SERVER": server.url, "QUICKWIN_TOKEN": OPERATOR, "QUICKWIN_INSTITUTION": "kpu",
        "XDG_CONFIG_HOME": str(tmp_path / "home"), "COLUMNS": "200",
    }  # fmt: skip


@pytest.fixture
def quickwin(server: Server) -> Iterator[Quickwin]:
    with Quickwin(server.url, OPERATOR, "kpu") as client:
        yield client


class Done:
    """What a command did."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err
        assert "Traceback" not in err


def run(world: dict[str, str], *typed: str, given: bytes | None = None) -> Done:
    """Run a command in this process: most tests need no other."""
    names = {name: None for name in os.environ if name.startswith("QUICKWIN")}
    result = CliRunner().invoke(commands, typed, input=given, env={**names, **world})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


def start(world: dict[str, str], *typed: str) -> subprocess.Popen[bytes]:
    """Begin a command in a process of its own."""
    command = [sys.executable, "-m", "app", *typed]
    return subprocess.Popen(
        command, env=world, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )


def section() -> str:
    found = re.search(r"^## Client and command line$(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_readmes_lines_do_what_it_says(
    world: dict[str, str], server: Server, quickwin: Quickwin, tmp_path: Path
) -> None:
    [lines] = re.findall(r"```python\n(.*?)```", section(), re.DOTALL)
    assert len([line for line in lines.splitlines() if line.strip()]) <= 10
    [typed] = re.findall(r"```sh\n(.*?)```", section(), re.DOTALL)
    script = f'quickwin() {{ "{sys.executable}" -m app "$@"; }}\nset -e\n{typed}'
    printed = []
    for command in ([sys.executable, "-c", lines], ["bash", "-c", script]):
        command[-1] = command[-1].replace("http://127.0.0.1:8000", server.url)
        done = subprocess.run(
            command, env=world | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        printed.append(done.stdout)
    assert printed[0].split() == ["65.0", "5.42", "QW-2", "QW-2022-014"]
    assert "65 → 70 % on 2022-11-25" in printed[1]
    assert "Reported: 1. Were there already: 0. Failed: 0." in printed[1]
    latest = next(quickwin.updates("QW-2022-014", 3))
    assert (latest.percent_complete, latest.source) == (75.5, "quickwin-batch")


def test_a_report_is_told(world: dict[str, str], quickwin: Quickwin) -> None:
    own = ("--source", "s", "--external-id", "1")
    first = run(world, "report", "qw-2022-014", "1", "12.5", "--on", "2022-03-01", *own)
    assert (first.status, first.out) == (
        0, "QW-2022-014, milestone 1: 0 → 12.5 % on 2022-03-01\n",
    )  # fmt: skip
    links = ("--evidence", "https://a.example/b/c.pdf?x=1", "--evidence", "https://b.example")
    told = run(world, "report", "QW-2022-014", "1", "30", "--note", "N", "--json", *links)
    update = json.loads(told.out)
    assert (update["percent_complete"], update["note"], update["effective_on"][:2]) == (
        30,
        "N",
        "20",
    )
    assert [each["title"] for each in update["evidence"]] == ["c.pdf", "b.example"]
    again = run(world, "report", "QW-2022-014", "1", "12.5", "--quiet", *own)
    assert (again.status, again.out, again.err) == (0, "", "")
    assert len(list(quickwin.updates("QW-2022-014", 1))) == 2


def test_rollups_and_initiatives_are_shown(world: dict[str, str]) -> None:
    table = run(world, "rollup", "--year", "2022", "--as-of", "2022-11-30").out.splitlines()
    assert table[0].strip() == "as of 2022-11-30, year 2022"
    assert [line.split()[0] for line in table[2:]] == ["kpu", "32"]
    assert "Jawa Barat [red]" in table[3]
    told = json.loads(run(world, "rollup", "32", "--as-of", "2022-01-01", "--json").out)
    assert (told["rollup"]["as_of"], told["children"]) == ("2022-01-01", [])
    listed = run(world, "initiatives", "list", "--unit", "32", "--status", "active", "--sort",
                 "-code", "--no-stale", "--most", "1")  # fmt: skip
    assert listed.status == 0
    both = run(world, "initiatives", "list", "--status", "active", "--status", "on_hold", "--json")
    assert [each["code"] for each in json.loads(both.out)] == ["QW-2", "QW-2022-014"]
    assert json.loads(run(world, "initiatives", "list", "--year", "2019", "--json").out) == []
    shown = run(world, "initiatives", "show", "QW-2").out
    assert shown.splitlines()[0].strip() == "QW-2  [bold]Two"
    assert len(shown.splitlines()) == 2 + 1 + 4
    assert json.loads(run(world, "initiatives", "show", "QW-2", "--json").out)["code"] == "QW-2"


@pytest.mark.parametrize(
    ("typed", "changed", "status", "told"),
    [
        (("report", "QW-9", "1", "5"), {}, 1, "NotFound: "),
        (("initiatives", "list", "--due-before", "soon"), {}, 1, "due_before: a date is written"),
        (("report", "QW-2", "1", "101"), {}, 2, "percent"),
        (("rollup", "--colour", "red"), {}, 2, "--colour"),
        (("rollup",), {"QUICKWIN_TOKEN": ""}, 2, "There is no token"),
        (("rollup",), {"QUICKWIN_SERVER": "kpu.example"}, 2, "like https://"),
        (("rollup",), {"QUICKWIN_INSTITUTION": ""}, 2, "Name an institution"),
        (("rollup",), {"QUICKWIN_SERVER": "http://256.0.0.1"}, 2, "like https://"),
        (("rollup", ".."), {}, 2, "more than dots"),
        (("rollup", "\udcff"), {}, 2, "characters that there are"),
        (("rollup", "--area", "\udcff"), {}, 2, "no words"),
        (("report", "QW-2", "1", "5", "--note", "\udcff"), {}, 2, "no words"),
        (("rollup",), {"QUICKWIN_TOKEN": "qw_unknown"}, 4, "Unauthorized: "),
        (("batch", "nowhere.csv"), {}, 2, "nowhere.csv: No such file"),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_status(
    world: dict[str, str], typed: tuple[str, ...], changed: dict[str, str], status: int, told: str
) -> None:
    done = run(world | changed, *typed)
    assert done.status == status
    assert told in done.err
    if status != 2 or typed[0] == "batch":
        assert len(done.err.splitlines()) == 1


def test_a_server_that_is_away_has_a_status_of_its_own(
    world: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Patience, "policy", _at_once)
    away = run(world | {"QUICKWIN_SERVER": "http://127.0.0.1:1"}, "rollup")
    assert (away.status, away.out) == (3, "")
    assert away.err.startswith("Unreachable: http://127.0.0.1:1: ")
    with scripted() as other:
        other.play(problem(503, "database_unavailable"), problem(403, "forbidden"))
        asked = world | {"QUICKWIN_SERVER": other.url}
        assert [run(asked, "rollup").status for _ in range(2)] == [3, 4]


def _at_once(patience: Patience, call: Any) -> dict[str, Any]:
    return POLICY(patience._replace(tries=1), call)


POLICY = Patience.policy


def test_the_configuration_file(world: dict[str, str], server: Server, tmp_path: Path) -> None:
    nothing = {"QUICKWIN_TOKEN": "", "QUICKWIN_SERVER": "", "QUICKWIN_INSTITUTION": ""}
    file = tmp_path / "home" / "quickwin" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text(f'server = "{server.url}"\ntoken = "{OPERATOR}"\ninstitution = "kpu"\n')
    file.chmod(0o600)
    quiet = run(world | nothing, "rollup", "32")
    assert (quiet.status, quiet.err) == (0, "")
    file.chmod(0o640)
    warned = run(world | nothing, "rollup", "32")
    assert warned.status == 0
    assert f"chmod 600 {file}" in warned.err
    assert run(world | nothing | {"QUICKWIN_TOKEN": "qw_other"}, "rollup").status == 4
    for wrong in ("server = ", 'colour = "red"', "token = 7", "\udcff"):
        file.write_bytes(wrong.encode(errors="surrogateescape"))
        done = run(world | nothing, "rollup")
        assert (done.status, len(done.err.splitlines())) == (2, 1)
        assert str(file) in done.err


def test_a_token_over_plain_http_is_warned_of(world: dict[str, str]) -> None:
    done = run(world | {"QUICKWIN_SERVER": "http://quickwin.example"}, "rollup", "..")
    assert done.status == 2
    assert "travels in the clear" in done.err


def rows(*lines: str, delimiter: str = ",", bom: bool = False) -> bytes:
    head = "initiative,milestone,percent_complete,effective_on,note".replace(",", delimiter)
    return (b"\xef\xbb\xbf" if bom else b"") + "\r\n".join([head, *lines, ""]).encode()


def test_bad_lines_are_told_and_the_rest_goes_on(
    world: dict[str, str], quickwin: Quickwin, tmp_path: Path
) -> None:
    before = len(list(quickwin.feed()))
    file = tmp_path / "reports.csv"
    content = rows(
        'QW-2;1;10,5;2022-03-01;"two\r\nlines; and more"',
        "QW-2;x;10;2022-03-01;",
        "QW-2;1;101;2022-03-02;",
        ";;;;",
        "QW-2;1;20;2022-03-03;\x00",
        "QW-9;1;20;2022-03-04;",
        "QW-2;1;30;2022-03-05;BAD",
        "QW-2;1;30;2022-03-05;x;y",
        'QW-2;1;30;2022-03-05;"x"y',
        "qw-2;1;40",
        delimiter=";", bom=True,
    )  # fmt: skip
    file.write_bytes(content.replace(b"BAD", b"\xff"))
    done = run(world, "batch", str(file), "--quiet")
    assert (done.status, done.out) == (1, "")
    told = sorted(line.split(":")[0] for line in done.err.splitlines() if line.startswith("line"))
    assert told == ["line 10", "line 11", "line 4", "line 5", "line 7", "line 8", "line 9"]
    kept = list(quickwin.feed())[: -before or None]
    assert sorted(each.percent_complete for each in kept) == [10.5, 40]
    assert {each.note for each in kept} == {"two\r\nlines; and more", None}
    again = run(world, "batch", str(file), "--json")
    summary = json.loads(again.out)
    assert (summary["created"], summary["replayed"], len(summary["failed"])) == (2, 0, 7)
    assert {each["line"] for each in summary["failed"]} == {4, 5, 7, 8, 9, 10, 11}
    assert len(list(quickwin.feed())) == before + 2


def test_json_lines_from_stdin(world: dict[str, str], quickwin: Quickwin, tmp_path: Path) -> None:
    before = len(list(quickwin.feed()))
    good = {"initiative": "QW-2", "milestone": 2, "percent_complete": 10, "source": "s"}
    lines = [
        json.dumps({**good, "external_id": "b1"}),
        "",
        json.dumps(good),
        "{",
        json.dumps({**good, "external_id": "b1"}),
        json.dumps({"initiative": "QW-2", "milestone": 2, "percent_complete": 20}),
        "\ufeff[]",
    ]
    given = "\n".join(lines).encode()
    kept = ("--journal", str(tmp_path / "kept"))
    first = run(world, "batch", "-", "--json", *kept, given=given)
    told = json.loads(first.out)
    assert (first.status, told["created"], told["replayed"]) == (1, 2, 1)
    assert [each["line"] for each in told["failed"]] == [3, 4, 7]
    assert json.loads(run(world, "batch", "-", "--json", *kept, given=given).out) == told
    changed = run(world, "batch", "-", *kept, given=given + b"\n")
    assert changed.status == 2
    assert "another input_sha256; --anew" in changed.err
    assert len(list(quickwin.feed())) == before + 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it lacks initiative, milestone, percent_complete"),
        (b"initiative,milestone\n", "it lacks percent_complete"),
        (b"initiative,milestone,percent_complete,colour\n", "each of these at most once"),
        (b"initiative,milestone,percent_complete,note,note\n", "each of these at most once"),
        ("initiative\n".encode("utf-16"), "in UTF-8"),
        (b'"\n' * 9, "it lacks"),
    ],
)
def test_a_file_that_is_none_of_reports(
    world: dict[str, str], tmp_path: Path, content: bytes, told: str
) -> None:
    file = tmp_path / "reports"
    file.write_bytes(content)
    done = run(world, "batch", str(file))
    assert (done.status, len(done.err.splitlines())) == (2, 1)
    assert told in done.err
    assert not file.with_name("reports.journal").exists()


@pytest.mark.parametrize("content", [b"", b"x\n", b"{}\n", b"\xff\n"])
def test_a_journal_that_is_none(world: dict[str, str], tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "reports.csv"
    file.write_bytes(rows())
    file.with_name("reports.csv.journal").write_bytes(content)
    for anew in ((), ("--anew",)):
        done = run(world, "batch", str(file), *anew)
        assert done.status == 2
        assert "is no journal of a batch" in done.err
        assert file.with_name("reports.csv.journal").read_bytes() == content


def test_a_killed_batch_goes_on_and_each_report_is_there_once(
    world: dict[str, str], quickwin: Quickwin, tmp_path: Path
) -> None:
    count, size = 180, 3
    file, journal = tmp_path / "reports.csv", tmp_path / "reports.csv.journal"
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["initiative", "milestone", "percent_complete", "effective_on", "note"])
    notes = [f"killed {n}" for n in range(count)]
    for n, note in enumerate(notes):
        writer.writerow(["QW-2022-014", 2 + n % 5, n % 100, f"2022-03-{1 + n % 28:02}", note])
    file.write_text(text.getvalue())
    typed = ("batch", str(file), "--size", str(size), "--json")

    for kill_at, by in ((3, signal.SIGKILL), (12, signal.SIGINT)):  # lines of the journal
        # Where the tests run in a shell's background, SIGINT is ignored, and so by whom they start.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = start(world, *typed)
        signal.signal(signal.SIGINT, before)
        until = time.monotonic() + 60
        while not journal.exists() or journal.read_bytes().count(b"\n") < kill_at:
            assert time.monotonic() < until
            assert process.poll() is None, process.communicate()
        process.send_signal(by)
        _, said = process.communicate()
        if by == signal.SIGINT:
            assert process.returncode == 130
            assert b"the same command goes on" in said
        marks = journal.read_bytes().count(b"\n") - 1
        assert marks < count // size, "it was done before it was killed"
    with journal.open("ab") as torn:
        torn.write(b'{"done":1')
    process = start(world, *typed)
    printed, _ = process.communicate()
    told = json.loads(printed)
    assert (process.returncode, told["failed"]) == (0, [])
    assert told["created"] + told["replayed"] == count
    assert told["replayed"] <= 2 * size
    reports = [each for each in quickwin.feed() if each.source == "quickwin-batch"]
    assert Counter(each.note for each in reports if each.note in notes) == Counter(notes)

    whole = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(whole[:4]))  # as if killed before much of it was noted
    resent = json.loads(run(world, *typed).out)
    assert (resent["created"] + resent["replayed"], resent["failed"]) == (count, [])
    assert resent["replayed"] >= count - 3 * size
    assert len(list(quickwin.feed(source="quickwin-batch"))) == len(reports)


def test_a_batch_can_be_begun_anew(
    world: dict[str, str], quickwin: Quickwin, tmp_path: Path
) -> None:
    file = tmp_path / "reports.csv"
    file.write_bytes(rows("QW-2,4,10", "QW-2,4,11"))
    told = [
        json.loads(run(world, "batch", str(file), "--json", *anew).out)["created"]
        for anew in ((), (), ("--anew",))
    ]
    assert told == [2, 2, 2]
    assert len(list(quickwin.updates("QW-2", 4))) == 4
    other = run(world, "batch", str(file), "--source", "other")
    assert (other.status, "with another source;" in other.err) == (2, True)


def test_a_disk_that_is_full_is_told(
    world: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _line: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file = tmp_path / "reports.csv"
    file.write_bytes(rows("QW-2,4,12"))
    monkeypatch.setattr(journals, "_write", full)
    done = run(world, "batch", str(file))
    assert (done.status, done.err) == (2, f"{file}: No space left on device\n")
    assert [each.name for each in tmp_path.iterdir()] == ["reports.csv"]


def test_a_batch_whose_server_goes_away_says_how_to_go_on(
    world: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Patience, "policy", _at_once)
    file = tmp_path / "reports.csv"
    file.write_bytes(rows("QW-2,1,10"))
    done = run(world | {"QUICKWIN_SERVER": "http://127.0.0.1:1"}, "batch", str(file), "-q")
    assert done.status == 3
    stopped, unreachable = done.err.splitlines()
    assert stopped == "Stopped after 0 of 1 reports; the same command goes on."
    assert unreachable.startswith("Unreachable: ")


def test_the_services_own_settings_are_not_disturbed(
    world: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in world.items():
        monkeypatch.setenv(name, value)
    assert Settings().admin_token is None


def test_every_remote_command_begins_without_the_services_half() -> None:
    command = typer.main.get_command(commands)
    assert isinstance(command, TyperGroup)
    assert {*command.commands} == REMOTE


@pytest.mark.parametrize(
    "asked",
    [
        {"_QUICKWIN_COMPLETE": "complete_bash", "COMP_CWORD": "2", "COMP_WORDS": TYPED},
        {"_QUICKWIN_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": TYPED},
    ],
)
def test_a_shell_completes_without_the_services_half(
    world: dict[str, str], asked: dict[str, str]
) -> None:
    """What makes these commands begin in half a second: none of it is imported."""
    program = """
import sys
from app.__main__ import main
try:
    main()
except SystemExit:
    service = {"fastapi", "sqlalchemy", "uvicorn", "alembic", "starlette"}
    print({name.split(".")[0] for name in sys.modules} & service)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=world | asked, cwd=ROOT,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "--external-id" in done.stdout
    assert done.stdout.splitlines()[-1] == "set()"


def test_documents_and_who_has_not_reported(
    world: dict[str, str], quickwin: Quickwin, tmp_path: Path
) -> None:
    paper = tmp_path / "SK [7].pdf"
    paper.write_bytes(b"%PDF-1.7\n%%EOF\n")
    sent = run(world, "evidence", "send", str(paper))
    number = sent.out.split()[0]
    assert (sent.status, sent.out) == (0, f"{number}  SK [7].pdf\n")
    assert run(world, "evidence", "send", "-q", str(paper)).out.strip() != number
    copy = tmp_path / "copy.pdf"
    assert run(world, "evidence", "save", number, str(copy)).status == 0
    assert copy.read_bytes() == paper.read_bytes()
    for typed, status in (
        (("send", str(tmp_path / "nothing")), 2), (("send", __file__), 1),
        (("save", number, "/nowhere/a.pdf"), 2), (("save", "x", str(copy)), 1),
    ):  # fmt: skip
        refused = run(world, "evidence", *typed)
        assert (refused.status, refused.out, refused.err.count("\n")) == (status, "", 1), typed
    told = run(world, "report", "QW-2", "1", "5", "--document", str(paper), "--json")
    (evidence,) = json.loads(told.out)["evidence"]
    assert (evidence["title"], evidence["file"]["size"]) == (paper.name, paper.stat().st_size)

    quickwin.open_obstacle({"unit": "32", "title": "[red]Late", "decision_asked": "May we?"})
    shown = run(world, "obstacles", "list", "--unit", "32", "--waiting").out
    assert "[red]Late" in shown
    assert shown.split()[-1] == "waiting"
    assert json.loads(run(world, "obstacles", "list", "--state", "resolved", "--json").out) == []
    quickwin.answer(calls.post(quickwin.at("periods"), Period, PERIOD))
    chased = run(world, "missing", CODE, "--unit", "32", "--most", "1", "--json")
    assert [each["initiative"] for each in json.loads(chased.out)] == ["QW-2"]
    assert "QW-2022-014" in run(world, "missing", CODE).out
    assert run(world, "missing", "nothing").status == 1
