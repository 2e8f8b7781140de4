"""What every benchmark needs: the machine, a state folder for services, a file for the results."""

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from answerbook import services
from answerbook.config import Settings

RESULTS = Path(__file__).parent / "results"


def description() -> dict[str, Any]:
    """Processor, cores, memory, system and Python; nothing that names the machine."""
    system = platform.freedesktop_os_release()
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": system.get("PRETTY_NAME", platform.system()),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
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


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
