"""benchmarks/crypto.py: a small run, and what is committed of the large one."""

import json
import subprocess
import sys
from pathlib import Path

from answerbook import config
from answerbook.notebook import results

NAMES = {"bare", "encrypt", "decrypt"}


def test_a_small_run_measures_both_ways_beside_the_bare_loop(tmp_path: Path) -> None:
    root = config.repository()
    assert root is not None
    words = ["--mib", "2", "--runs", "2", "--disk", str(tmp_path), "--folder", str(tmp_path)]
    words.append("--anyway")
    program = root / "benchmarks" / "crypto.py"
    done = subprocess.run(
        [sys.executable, program, *words], capture_output=True, text=True, check=False
    )
    # So little is encrypted in less time than the command takes to start: it may miss its rate.
    assert done.returncode in (0, 1), done.stderr
    found = json.loads((tmp_path / "crypto.json").read_text())
    assert found["figures"].keys() == NAMES
    assert found["goals"].keys() == results("crypto")["goals"].keys()
    for each in found["figures"].values():
        assert 0 < each["mb_per_second"]["min"] <= each["mb_per_second"]["max"]
        assert 0 < found["empty_interpreter_mb"] < each["peak_mb"]["min"] < 200
    assert 64 < found["passphrase"]["peak_mb_above_empty"] < 200, "Argon2id takes 64 MiB"
    assert ["crypto.json"] == [path.name for path in tmp_path.iterdir()], "it left something"


def test_what_is_committed_is_of_a_gibibyte_and_reached_its_goals() -> None:
    found = results("crypto")
    assert 1_024 == found["mib"]
    assert found["runs"] >= 3
    assert found["figures"].keys() == NAMES
    assert all(goal["met"] for goal in found["goals"].values())
