"""What every benchmark needs: its options, a machine at rest, a state folder, a results file."""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from answerbook import services
from answerbook.config import Settings

RESULTS = Path(__file__).parent / "results"

AT_REST = 0.2
"""Processors that may be busy before a benchmark begins: what a desktop's clocks and logs take."""
PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 2.0


def options(what: str) -> argparse.ArgumentParser:
    """What every benchmark can be told."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where the results go")
    parser.add_argument(
        "--anyway", action="store_true", help="measure, though other programs use the processors"
    )
    return parser


def description(*, anyway: bool) -> dict[str, Any]:
    """Processor, cores, memory, system and Python; nothing that names the machine.

    Waits until the machine is at rest. When it is not within PATIENCE_SECONDS, ends the program,
    unless it is to measure `anyway`: how many processors were busy is among the results.
    """
    busy = _busy(anyway=anyway)
    system = platform.freedesktop_os_release()
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": system.get("PRETTY_NAME", platform.system()),
        "python": platform.python_version(),
        "processors_busy_before": round(busy, 2),
        "date": datetime.now(UTC).date().isoformat(),
    }


def use_native_engine() -> None:
    """Private processes, with the programs that are fetched already."""
    os.environ["ANSWERBOOK_PROGRAMS"] = str(Settings.load().programs_folder)
    os.environ["ANSWERBOOK_ENGINE"] = "native"


@contextmanager
def new_home() -> Iterator[None]:
    """A new state folder for the services; at its end all that runs there is ended."""
    folder = Path(tempfile.mkdtemp(prefix="answerbook-bench-", dir="/var/tmp"))
    folder.chmod(0o755)  # PostgreSQL's user has to get there when we are root
    os.environ["ANSWERBOOK_HOME"] = str(folder)
    try:
        yield
    finally:
        services.down()
        shutil.rmtree(folder)


def write(name: str, results: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write NAME.json, replacing the last run's as a whole."""
    path = folder / f"{name}.json"
    temporary = path.with_suffix(".json.new")
    temporary.write_text(json.dumps(results, indent=2) + "\n")
    temporary.replace(path)
    return path


def _busy(*, anyway: bool) -> float:
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting = False
    while True:
        busy, busiest = _look()
        if busy <= AT_REST or anyway:
            return busy
        others = f"Other programs use {busy:.1f} of {os.cpu_count()} processors, {busiest} the most"
        if time.monotonic() > deadline:
            sys.exit(f"{others}: end them, or measure beside them with --anyway.")
        if not waiting:
            waiting = True
            print(f"{others}: waiting until they rest.", flush=True)


def _look() -> tuple[float, str]:
    """How many processors are busy, and with which process most of all."""
    list(psutil.process_iter(["cpu_percent"]))  # each then counts from here
    busy = sum(psutil.cpu_percent(LOOK_SECONDS, percpu=True)) / 100
    most = max(
        psutil.process_iter(["cpu_percent", "name"]),
        key=lambda process: process.info["cpu_percent"] or 0,
    )
    return busy, f"{most.info['name']} (process {most.pid})"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
