"""Minutes of mixed traffic, when asked for: `tests/benchmarks/soak.py` finds nothing wrong."""

import os
import subprocess
import sys

import pytest

MINUTES = os.environ.get("QUICKWIN_SOAK_MINUTES", "")


@pytest.mark.skipif(not MINUTES, reason="QUICKWIN_SOAK_MINUTES says how many")
def test_nothing_is_lost_and_nothing_leaks() -> None:
    command = [
        *(sys.executable, "-m", "tests.benchmarks.soak", "--minutes", MINUTES),
        *("--rate", "5", "--workers", "1"),  # the other tests run beside it: no times are told
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
