"""An institution moves by the command line, as the README says."""

from pathlib import Path

from app.settings import Settings
from tests.support.institution import Institution
from tests.support.typed import quickwin


async def test_an_institution_moves(
    configuration: Settings, institution: Institution, tmp_path: Path
) -> None:
    await institution.initiative("QW-1", milestones=[{"title": "M", "due_on": "2022-06-30"}])
    await institution.report("QW-1", 1, 40, "2022-06-01")
    here, there = configuration.database_url, f"sqlite:///{tmp_path / 'there.db'}"
    archive = tmp_path / "archive.zip"
    only = ("--institution", institution.code)
    made = quickwin(here, "export", str(archive), *only)
    assert made.returncode == 0, made.stderr
    head = quickwin(here, "audit", "head", *only).stdout.split()[1]
    assert made.stdout.endswith(f"Its trail ends at {head}\n")
    assert quickwin(here, "export", str(archive), *only).returncode == 2
    lost = quickwin(here, "export", str(tmp_path / "none" / "archive.zip"), *only)
    assert (lost.returncode, "No such file or directory" in lost.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["archive.zip"]

    came = quickwin(there, "import", str(archive))
    assert came.returncode == 0, came.stderr
    assert came.stdout.startswith(f"Imported {institution.code}: ")
    kept = quickwin(there, "audit", "verify", *only, "--anchor", head)
    assert kept.returncode == 0, kept.stdout
    again = quickwin(there, "import", str(archive))
    assert (again.returncode, "give this one another code" in again.stderr) == (1, True)
    copied = quickwin(there, "import", str(archive), "--as", "other")
    assert "this is a copy" in copied.stdout
    broken = tmp_path / "broken.zip"
    broken.write_bytes(archive.read_bytes()[:-50])
    refused = quickwin(there, "import", str(broken))
    assert (refused.returncode, "Archive refused" in refused.stderr) == (1, True)
    assert "Traceback" not in refused.stderr + again.stderr
