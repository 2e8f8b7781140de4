"""`answerbook encrypt` and `decrypt` beside a bare loop: `make bench BENCH=crypto`.

Each is a process of its own, from its start to its end, on a file that is in the page cache; they
take turns, and what one wrote is on the disk before the next begins. Writes results/crypto.json,
which notebook 3_6 shows; ends with status 1 when a goal is missed. To try it out:

    python benchmarks/crypto.py --quick --folder /tmp
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine

MIB, RUNS = 1_024, 5
QUICK_MIB, QUICK_RUNS = 64, 1
PROGRAMS = Path(__file__).parent

ENCRYPT_RATE = "encrypt: of the bare loop's rate"
DECRYPT_RATE = "decrypt: of the bare loop's rate"
ENCRYPT_MEMORY = "encrypt: peak memory above an empty interpreter, MB"
DECRYPT_MEMORY = "decrypt: peak memory above an empty interpreter, MB"
GOALS = {ENCRYPT_RATE: 0.8, DECRYPT_RATE: 0.8, ENCRYPT_MEMORY: 100.0, DECRYPT_MEMORY: 100.0}
AT_MOST = {ENCRYPT_MEMORY, DECRYPT_MEMORY}
"""Goals that the figure stays under; the others it reaches."""


@dataclass(frozen=True)
class Took:
    """What a process took: seconds, seconds of CPU, bytes of memory at its peak."""

    seconds: float
    cpu: float
    peak: float


def main() -> int:
    options = _options()
    described = machine.description(anyway=options.anyway)
    folder = Path(tempfile.mkdtemp(prefix="answerbook-bench-", dir=options.disk))
    try:
        ways = prepared(folder, options.mib)
        empty = took(sys.executable, "-c", "pass")
        runs = [one_run(folder, ways, number) for number in range(1, options.runs + 1)]
        assert same(folder / "plain", folder / "decrypt"), "decrypted, it is another file"
        asked = with_a_passphrase(folder)
    finally:
        shutil.rmtree(folder)
    path = machine.write("crypto", results(described, options, empty, runs, asked), options.folder)
    print(path.read_text())
    met = all(goal["met"] for goal in goals(empty, runs).values())
    return 0 if met else 1


# -- measuring ------------------------------------------------------------------------------------


def prepared(folder: Path, mib: int) -> dict[str, list[str]]:
    """A file of random bytes and a key, and the programs that are measured on them."""
    with (folder / "plain").open("wb") as file:
        for _ in range(mib):
            file.write(os.urandom(1 << 20))
    (folder / "key").write_bytes(os.urandom(32))
    plain, encrypted = str(folder / "plain"), str(folder / "encrypt")
    answerbook = [sys.executable, "-m", "answerbook"]
    key = ["--key-file", str(folder / "key")]
    return {
        "bare": [sys.executable, str(PROGRAMS / "crypto_bare.py"), plain, str(folder / "bare")],
        "encrypt": [*answerbook, "encrypt", plain, "-o", encrypted, *key],
        "decrypt": [*answerbook, "decrypt", encrypted, "-o", str(folder / "decrypt"), *key],
    }


def one_run(folder: Path, ways: dict[str, list[str]], number: int) -> dict[str, Took]:
    """Each way once, with what it writes gone before and on the disk after."""
    found = {}
    order = list(ways) if number % 2 else ["encrypt", "decrypt", "bare"]
    for name in order:
        (folder / name).unlink(missing_ok=True)
        os.sync()
        found[name] = took(*ways[name])
        print(f"run {number}: {name:8} {found[name].seconds:6.2f} s", flush=True)
    return found


def with_a_passphrase(folder: Path) -> Took:
    """Encrypt next to nothing under a passphrase: what Argon2id takes does not grow with a file."""
    (folder / "small").write_bytes(b"small")
    small, target = str(folder / "small"), str(folder / "passphrase")
    words = ("-m", "answerbook", "encrypt", small, "-o", target)
    return took(sys.executable, *words, answer="correct horse battery staple")


def took(*program: str, answer: str = "") -> Took:
    launcher = [sys.executable, "-I", "-S", str(PROGRAMS / "crypto_process.py")]
    printed = subprocess.check_output([*launcher, answer, *program], text=True)
    return Took(*map(float, printed.split()))


def same(one: Path, other: Path) -> bool:
    with one.open("rb") as first, other.open("rb") as second:
        while piece := first.read(1 << 20):
            if piece != second.read(1 << 20):
                return False
        return not second.read(1)


# -- results --------------------------------------------------------------------------------------


def results(
    described: dict[str, Any],
    options: argparse.Namespace,
    empty: Took,
    runs: list[dict[str, Took]],
    asked: Took,
) -> dict[str, Any]:
    size = options.mib * (1 << 20)
    return {
        "machine": described,
        "mib": options.mib,
        "runs": options.runs,
        "goals": goals(empty, runs),
        "ratios": {
            name: summary([run["bare"].seconds / run[name].seconds for run in runs])
            for name in ("encrypt", "decrypt")
        },
        "figures": {
            name: {
                "mb_per_second": summary([size / run[name].seconds / 1e6 for run in runs]),
                "cpu_seconds": summary([run[name].cpu for run in runs]),
                "peak_mb": summary([run[name].peak / 1e6 for run in runs]),
            }
            for name in runs[0]
        },
        "empty_interpreter_mb": round(empty.peak / 1e6, 1),
        "passphrase": {
            "seconds": round(asked.seconds, 2),
            "peak_mb_above_empty": round((asked.peak - empty.peak) / 1e6, 1),
        },
    }


def goals(empty: Took, runs: list[dict[str, Took]]) -> dict[str, dict[str, Any]]:
    """Rates as the median of the runs' ratios, memory as the most of any run."""
    found = {}
    for name in ("encrypt", "decrypt"):
        ratios = [run["bare"].seconds / run[name].seconds for run in runs]
        peak = max(run[name].peak for run in runs) - empty.peak
        found[f"{name}: of the bare loop's rate"] = statistics.median(ratios)
        found[f"{name}: peak memory above an empty interpreter, MB"] = peak / 1e6
    return {name: judged(name, found[name]) for name in GOALS}


def judged(name: str, value: float) -> dict[str, Any]:
    goal = GOALS[name]
    met = value < goal if name in AT_MOST else value >= goal
    return {"value": round(value, 3), "goal": goal, "at_most": name in AT_MOST, "met": met}


def summary(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
    }


def _options() -> argparse.Namespace:
    parser = machine.options("Measure `answerbook encrypt` and `decrypt`.")
    parser.add_argument("--mib", type=int, help=f"size of the file (default: {MIB})")
    parser.add_argument("--runs", type=int, help=f"how often (default: {RUNS})")
    parser.add_argument("--quick", action="store_true", help="a small file, once")
    parser.add_argument("--disk", type=Path, default=Path("/var/tmp"), help="4 times its size")
    options = parser.parse_args()
    options.mib = options.mib or (QUICK_MIB if options.quick else MIB)
    options.runs = options.runs or (QUICK_RUNS if options.quick else RUNS)
    return options


if __name__ == "__main__":
    sys.exit(main())
