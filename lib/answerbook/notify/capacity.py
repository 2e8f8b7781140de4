"""From requirements to numbers: rates, bytes, partitions, processes, brokers, money, time to drain.

    plan = plan_for(Requirements(), Rates.of(results))
    plan.partitions, plan.processes["deliver"], plan.fcm_quota_share, drain_seconds(…)

Pure arithmetic over rates that were measured, for notebook 2_1 and for whoever sizes a cluster.
Units: events and notifications a second, bytes, seconds, months of 730 hours, and whatever
currency the prices are in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from math import ceil, isfinite, lcm
from typing import Any, Final, Self

HOUR: Final = 3_600
DAY: Final = 86_400
MONTH_HOURS: Final = 730
FCM_QUOTA: Final = 600_000
"""Messages a minute that FCM takes of a project unless more is asked for (Google's default)."""
GB: Final = 10**9
PROGRAMS: Final = ("api", "render", "deliver", "track")


class Impossible(ValueError):
    """No system meets these numbers; the message says which of them to change."""


def _check(numbers: object, positive: tuple[str, ...], least_one: tuple[str, ...] = ()) -> None:
    for name in (*positive, *least_one):
        value = getattr(numbers, name)
        least = 1 if name in least_one else 0
        if not isfinite(value) or value < least or (value == 0 and name in positive):
            raise Impossible(
                f"{name} is {value}: it must be {'at least 1' if least else 'above 0'}."
            )


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """What is asked for. The defaults are the question's million an hour."""

    events_per_hour: float = 1_000_000
    peak_factor: float = 10.0
    """The busiest seconds against the average."""
    devices_per_event: float = 1.3
    """Notifications that an event becomes, on average, suppressed ones left out."""
    sends_per_notification: float = 1.05
    """Retries included."""
    event_bytes: float = 350
    """Of a record in Kafka, before compression; likewise the next two."""
    notification_bytes: float = 750
    receipt_bytes: float = 300
    outcome_bytes: float = 250
    """Of a row in PostgreSQL with its share of the indexes."""
    compression: float = 0.4
    """Bytes in Kafka for each byte written (lz4)."""
    retention_hours: float = 72
    """That Kafka keeps records."""
    outcome_days: float = 30
    """That PostgreSQL keeps outcomes."""
    replication: int = 3
    min_insync: int = 2
    utilisation: float = 0.6
    """How busy a process may be at the peak: the rest is for a lost neighbour and for growth."""
    fcm_quota_per_minute: float = FCM_QUOTA

    def __post_init__(self) -> None:
        """Raises Impossible."""
        _check(
            self,
            (
                "events_per_hour",
                "devices_per_event",
                "event_bytes",
                "notification_bytes",
                "receipt_bytes",
                "outcome_bytes",
                "retention_hours",
                "outcome_days",
                "fcm_quota_per_minute",
            ),
            ("peak_factor", "sends_per_notification", "replication", "min_insync"),
        )
        for name in ("compression", "utilisation"):
            if not 0 < getattr(self, name) <= 1:
                raise Impossible(f"{name} is {getattr(self, name)}: it lies above 0, up to 1.")
        if self.min_insync > self.replication:
            raise Impossible(
                f"min_insync is {self.min_insync} of {self.replication} replicas: no write with "
                "acks=all would ever be acknowledged."
            )


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What one process does in a second, measured; `of` takes them from a benchmark's results."""

    api: float
    """Events that one API process accepts."""
    render: float
    """Events that render makes into notifications with one core."""
    deliver: float
    """Messages that one worker sends."""
    track: float
    """Receipts that one process writes to PostgreSQL."""
    broker_bytes: float = 50e6
    """Bytes that a broker takes, replicas of others included."""
    bytes_of_memory: Mapping[str, float] = field(
        default_factory=lambda: {
            "api": 0.15 * GB,
            "render": 1.5 * GB,
            "deliver": 0.15 * GB,
            "track": 0.15 * GB,
            "broker": 4 * GB,
        }
    )
    """Of a process; for render, of the job."""

    def __post_init__(self) -> None:
        """Raises Impossible."""
        _check(self, ("api", "render", "deliver", "track", "broker_bytes"))

    @classmethod
    def of(cls, results: Mapping[str, Any], **others: Any) -> Self:
        """From `results["rates"]`, as benchmarks/results/notify.json has them.

        `others` are for those that it lacks, or to try something out. Raises Impossible when a
        rate is in neither.
        """
        names = {each.name for each in fields(cls)}
        found = {k: v for k, v in results.get("rates", {}).items() if k in names} | others
        if missing := [name for name in PROGRAMS if name not in found]:
            raise Impossible(f"No rate was measured or given for {', '.join(missing)}.")
        return cls(**found)


@dataclass(frozen=True, kw_only=True)
class Prices:
    """What a unit costs. The defaults are round figures of a large cloud: replace them by yours."""

    core_hour: float = 0.04
    memory_gb_hour: float = 0.005
    disk_gb_month: float = 0.10
    egress_gb: float = 0.09


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What it takes."""

    rate: float
    """Events a second, on average."""
    peak_rate: float
    notification_rate: float
    peak_notification_rate: float
    door_bytes: float
    """A second at the peak, from callers."""
    kafka_bytes: float
    """A second at the peak, compressed, written to all replicas."""
    kafka_stored: float
    """Bytes on all brokers."""
    outcomes_stored: float
    """Bytes in PostgreSQL."""
    fcm_bytes: float
    """A second at the peak, to FCM."""
    processes: dict[str, int]
    """Program → processes, one core each; render's are cores of one job."""
    partitions: int
    """Of each topic: a consumer without one would idle."""
    brokers: int
    fcm_quota_share: float
    """Of the project's quota, at the peak. Above 1 the peak is spread: see fcm_peak_seconds."""
    fcm_peak_seconds: float
    """That FCM's quota takes for one second of the peak."""
    capacity: float
    """Events a second that all of it can do, FCM's quota included."""
    cost_per_month: float

    @property
    def pods(self) -> int:
        """All processes on Kubernetes: the job's driver is one more."""
        return sum(self.processes.values()) + 1 + self.brokers


def plan_for(wanted: Requirements, rates: Rates, prices: Prices | None = None) -> Plan:
    """Size the system. Raises Impossible when FCM's quota is below the average rate."""
    rate = wanted.events_per_hour / HOUR
    peak = rate * wanted.peak_factor
    sends = wanted.devices_per_event * wanted.sends_per_notification
    quota = wanted.fcm_quota_per_minute / 60
    if quota < rate * sends:
        raise Impossible(
            f"FCM takes {quota:,.0f} messages a second and {rate * sends:,.0f} come on average: "
            "ask for a larger quota, or send less (topics, collapsing, preferences)."
        )
    per_event = _work_per_event(wanted)
    processes = {
        name: max(2, ceil(at_peak / (getattr(rates, name) * wanted.utilisation)))
        for name, at_peak in _at_peak(peak, per_event, quota).items()
    }
    written = _bytes_per_event(wanted) * wanted.compression * wanted.replication
    brokers = max(
        wanted.replication, ceil(peak * written / (rates.broker_bytes * wanted.utilisation))
    )
    able = [processes[name] * getattr(rates, name) / per_event[name] for name in PROGRAMS]
    plan = Plan(
        rate=rate,
        peak_rate=peak,
        notification_rate=rate * wanted.devices_per_event,
        peak_notification_rate=peak * wanted.devices_per_event,
        door_bytes=peak * wanted.event_bytes,
        kafka_bytes=peak * written,
        kafka_stored=written * rate * wanted.retention_hours * HOUR,
        outcomes_stored=per_event["track"]
        * wanted.outcome_bytes
        * rate
        * wanted.outcome_days
        * DAY,
        fcm_bytes=min(peak * sends, quota) * wanted.notification_bytes,
        processes=processes,
        partitions=partitions(max(processes.values()), brokers),
        brokers=brokers,
        fcm_quota_share=peak * sends / quota,
        fcm_peak_seconds=max(1.0, peak * sends / quota),
        capacity=min(quota / sends, *able),
        cost_per_month=0.0,
    )
    cost = _cost(plan, wanted, rates, prices or Prices())
    return replace(plan, cost_per_month=cost)


def partitions(consumers: int, brokers: int) -> int:
    """Of a topic: as few as spread evenly and let twice the consumers join later.

    Every consumer reads as many as the others where that takes no more than six times as many, and
    every broker leads as many as the others. Raises Impossible for fewer than one of either.
    """
    if consumers < 1 or brokers < 1:
        raise Impossible("There is at least one consumer and one broker.")
    step = lcm(consumers, brokers)
    if step > 6 * max(consumers, brokers):  # even enough, rather than thousands
        step = brokers
    return step * ceil(2 * consumers / step)


def drain_seconds(backlog: float, capacity: float, arriving: float = 0.0) -> float:
    """Seconds to work off `backlog` events at `capacity` a second while more arrive.

    Raises Impossible when that never ends.
    """
    if backlog < 0 or arriving < 0 or capacity <= arriving:
        raise Impossible(
            f"At {capacity:,.0f} a second with {arriving:,.0f} arriving, a backlog of "
            f"{backlog:,.0f} does not shrink."
        )
    return backlog / (capacity - arriving)


def _work_per_event(wanted: Requirements) -> dict[str, float]:
    """Program → events, messages or receipts that it deals with for one event."""
    return {
        "api": 1.0,
        "render": 1.0,
        "deliver": wanted.devices_per_event * wanted.sends_per_notification,
        "track": 1 + wanted.devices_per_event,
    }


def _at_peak(peak: float, per_event: Mapping[str, float], quota: float) -> dict[str, float]:
    """Program → what it must do in a second of the peak. Beyond FCM's quota, delivery waits."""
    work = {name: peak * each for name, each in per_event.items()}
    return work | {"deliver": min(work["deliver"], quota)}


def _bytes_per_event(wanted: Requirements) -> float:
    """Written to Kafka for one event, once and uncompressed, by all stages."""
    receipts = (1 + wanted.devices_per_event) * wanted.receipt_bytes
    retried = wanted.sends_per_notification  # a retry is written again
    notifications = wanted.devices_per_event * retried * wanted.notification_bytes
    return wanted.event_bytes + notifications + receipts


def _cost(plan: Plan, wanted: Requirements, rates: Rates, prices: Prices) -> float:
    """A month: cores, memory, disks, and what is sent to FCM, which itself is free of charge."""
    cores = sum(plan.processes.values()) + plan.brokers
    memory = rates.bytes_of_memory
    in_use = plan.brokers * memory["broker"] + memory["render"]
    in_use += sum(plan.processes[name] * memory[name] for name in PROGRAMS if name != "render")
    sent = plan.notification_rate * wanted.sends_per_notification * wanted.notification_bytes
    return (
        MONTH_HOURS * (cores * prices.core_hour + in_use / GB * prices.memory_gb_hour)
        + (plan.kafka_stored + plan.outcomes_stored) / GB * prices.disk_gb_month
        + sent * MONTH_HOURS * HOUR / GB * prices.egress_gb
    )
