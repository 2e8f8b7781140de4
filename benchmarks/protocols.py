"""The same 1,000 bytes through every protocol of question 1: `make bench BENCH=protocols`.

Sender, receiver and brokers on this machine, native engine, nothing else running. Writes
results/protocols.json, which notebook 1.9 draws: for each figure the median of the runs, the least
and the most. Ends with status 1 when a floor is not reached in one of the runs. To try it out:

    python benchmarks/protocols.py --payloads 200 --runs 1 --folder /tmp
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import machine

from answerbook import services
from answerbook.protocols.choosing import amqp_message, measure
from answerbook.protocols.choosing.contestants import CONTESTANTS, OVER_TLS, Brokers
from answerbook.protocols.choosing.payloads import Payloads

PAYLOADS, RUNS = 10_000, 3
POOL = "pooled at least 2 times unpooled, over HTTPS"
CONFIRMS = "many confirms in flight at least 5 times one by one"
FLOORS = {POOL: 2.0, CONFIRMS: 5.0}

Figures = dict[str, dict[str, list[float]]]
"""Name → what → one number a run."""


def main() -> int:
    options = _options()
    machine.use_native_engine()
    described = machine.description(anyway=options.anyway)
    figures: Figures = {}
    with machine.new_home():
        amqp, kafka = services.require("rabbitmq"), services.require("kafka")
        brokers = Brokers(str(amqp.url), kafka.bootstrap_servers[0])
        for run in range(1, options.runs + 1):
            print(f"run {run} of {options.runs}", flush=True)
            one_run(figures, brokers, options.payloads)
            print(f"  {confirms(figures, amqp, options.payloads)}", flush=True)
    floors = {name: held(name, ratios) for name, ratios in ratios_of(figures).items()}
    path = machine.write("protocols", _results(described, options, figures, floors), options.folder)
    for name, floor in floors.items():
        print(f"{name}: {floor['median']:.1f} ({floor['min']:.1f} to {floor['max']:.1f})")
    print(f"written: {path}")
    return 0 if all(floor["met"] for floor in floors.values()) else 1


def one_run(figures: Figures, brokers: Brokers, count: int) -> None:
    """Every contestant once: speed on a straight line, then bytes on one that counts."""
    for contestant in (*CONTESTANTS, *OVER_TLS):
        with contestant.open(brokers) as way:
            speed = measure.speed(way, Payloads(count))
        found = {
            "a_second": speed.a_second,
            "p50_ms": speed.p50,
            "p99_ms": speed.p99,
            "wait_ms": speed.wait,
            "bytes": measure.bytes_on_the_wire(contestant, brokers),
        }
        for what, value in found.items():
            figures.setdefault(contestant.name, {}).setdefault(what, []).append(value)
        print(f"  {contestant.name:24} {speed.a_second:8.0f} a second", flush=True)


def confirms(figures: Figures, rabbitmq: services.RabbitMQ, count: int) -> str:
    """Confirms a second with no consumer: what the two ways of waiting for them differ in."""
    ways: dict[str, Callable[..., None]] = {
        "one by one": amqp_message.send,
        "in flight": amqp_message.send_in_flight,
    }
    rates = {
        name: _confirmed(partial(send, str(rabbitmq.url)), rabbitmq, count)
        for name, send in ways.items()
    }
    for name, rate in rates.items():
        figures.setdefault(f"confirms, {name}", {}).setdefault("a_second", []).append(rate)
    return ", ".join(f"confirms {name}: {rate:.0f} a second" for name, rate in rates.items())


def ratios_of(figures: Figures) -> dict[str, list[float]]:
    """What each floor is about, one number a run."""
    pairs = {
        POOL: ("REST over TLS, pooled", "REST over TLS, unpooled"),
        CONFIRMS: ("confirms, in flight", "confirms, one by one"),
    }
    return {
        name: [
            fast / slow
            for fast, slow in zip(*(figures[side]["a_second"] for side in pair), strict=True)
        ]
        for name, pair in pairs.items()
    }


def held(name: str, ratios: list[float]) -> dict[str, Any]:
    return summary(ratios) | {"floor": FLOORS[name], "met": min(ratios) >= FLOORS[name]}


def summary(values: list[float]) -> dict[str, Any]:
    digits = 4
    return {
        "median": round(statistics.median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
    }


def _confirmed(send: Callable[..., None], rabbitmq: services.RabbitMQ, count: int) -> float:
    channel = rabbitmq.channel()
    queue = channel.queue_declare("", durable=True).method.queue
    payloads = Payloads(count)
    send(queue, payloads)
    seconds = time.monotonic() - payloads.taken[0]
    channel.queue_delete(queue)
    channel.connection.close()
    return count / seconds


def _results(
    described: dict[str, Any], options: argparse.Namespace, figures: Figures, floors: dict[str, Any]
) -> dict[str, Any]:
    return {
        "machine": described,
        "payloads": options.payloads,
        "runs": options.runs,
        "floors": floors,
        "figures": {
            name: {what: summary(values) for what, values in found.items()}
            for name, found in figures.items()
        },
    }


def _options() -> argparse.Namespace:
    parser = machine.options("Measure every protocol of question 1.")
    parser.add_argument("--payloads", type=int, default=PAYLOADS)
    parser.add_argument("--runs", type=int, default=RUNS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
