"""What every result is written with: the machine, the versions, the date."""

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

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


def write(name: str, results: dict[str, Any]) -> Path:
    """Write results/NAME.json, replacing the last run's as a whole."""
    path = RESULTS / f"{name}.json"
    temporary = path.with_suffix(".json.new")
    temporary.write_text(json.dumps(results, indent=2) + "\n")
    temporary.replace(path)
    return path


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
