"""benchmarks/search.py on few documents: every figure is measured, and what is missed is said."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from answerbook.notebook import results

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "benchmarks" / "search.py"
FEW = ["--documents=3000", "--searches=2", "--quick", "--anyway"]


@pytest.mark.timeout(600)
def test_a_small_run_has_the_figures_of_the_large_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM, *FEW, f"--folder={tmp_path}"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "lib")},
        capture_output=True,
        text=True,
        check=False,
    )
    written = tmp_path / "search.json"
    assert written.exists(), done.stderr[-2_000:]
    here, committed = json.loads(written.read_text()), results("search")
    assert here.keys() == committed.keys()
    assert here["documents"] == 3_000
    assert here["classes"].keys() == committed["classes"].keys()
    assert all(each["overlap"] == 1 for each in here["classes"].values()), "all are scored"
    assert here["pages"]["failures"] == 0
    assert here["frequencies"]["most_apart"] < 2
    missed = [line for line in done.stdout.splitlines() if line.startswith("not reached")]
    assert done.returncode == bool(missed)
