"""How fast the services start and what they weigh: `make bench BENCH=services`.

Native engine, programs already fetched and, after a run that does not count, in the page cache; a
new data folder for each run, nothing else running.
Writes results/services.json: for each figure the median, the least and the most of all runs, the
goal, and whether the median meets it.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import machine

from answerbook import services
from answerbook.services import ServiceName
from answerbook.services.compose.layout import LAYOUTS

RUNS = 3
CALLS = 20
THREE: tuple[ServiceName, ...] = ("rabbitmq", "kafka", "postgres")
GOALS = {
    "start postgres": 4.0,
    "start rabbitmq": 12.0,
    "start kafka": 8.0,
    "start all three at once": 15.0,
    "require running rabbitmq": 0.150,
    "require running kafka": 0.150,
    "require running postgres": 0.150,
    "require running rabbitmq, first call": 0.150,
    "require running kafka, first call": 0.150,
    "require running postgres, first call": 0.150,
    "memory of all three, idle": 700e6,
}


def main() -> None:
    options = machine.options("Measure how fast the services start.").parse_args()
    machine.use_native_engine()
    described = machine.description(anyway=options.anyway)
    measured: dict[str, list[float]] = {}
    for run in range(RUNS + 1):
        print(f"run {run} of {RUNS}" + (" (warm-up, not counted)" if run == 0 else ""))
        for name, value in one_run().items():
            if run > 0:
                measured.setdefault(name, []).append(value)
    results = {name: summary(name, values) for name, values in measured.items()}
    found = {"machine": described, "runs": RUNS, "figures": results}
    path = machine.write("services", found, options.folder)
    for name, figure in results.items():
        goal = f"  goal {figure['goal']:g}" if "goal" in figure else ""
        print(f"{name:32} median {figure['median']:10.4g} {figure['unit']}{goal}")
    print(f"written: {path}")


def one_run() -> dict[str, float]:
    """Every figure once: seconds, and bytes of proportional set size."""
    figures: dict[str, float] = {}
    for name in LAYOUTS:  # the services that stand on their own
        with machine.new_home():
            figures[f"start {name}"] = seconds(partial(services.require, name))
            service = services.find(name)
            service.kill()
            figures[f"start {name} after a kill"] = seconds(service.start)
            figures[f"stop {name}"] = seconds(service.stop)
    with machine.new_home():
        figures["start all three at once"] = seconds(lambda: services.require_all(THREE))
        for name in THREE:
            first, *calls = [seconds(partial(services.require, name)) for _ in range(CALLS)]
            figures[f"require running {name}, first call"] = first
            figures[f"require running {name}"] = max(calls)
        time.sleep(5)  # idle is what is measured, so this once we do wait for nothing
        figures["memory of all three, idle"] = sum(
            service.engine.memory(service, 1) for service in map(services.find, THREE)
        )
        figures["down, all three"] = seconds(services.down)
    return figures


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def summary(name: str, values: list[float]) -> dict[str, Any]:
    unit = "bytes" if name.startswith("memory") else "s"
    digits = 0 if unit == "bytes" else 4
    figure: dict[str, Any] = {
        "unit": unit,
        "median": round(statistics.median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
    }
    if name in GOALS:
        figure |= {"goal": GOALS[name], "met": figure["median"] <= GOALS[name]}
    return figure


if __name__ == "__main__":
    main()
