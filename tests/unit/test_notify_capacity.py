from dataclasses import replace
from typing import Any, cast

import pytest

from answerbook.notify.capacity import (
    Impossible,
    Plan,
    Prices,
    Rates,
    Requirements,
    drain_seconds,
    partitions,
    plan_for,
)

RATES = Rates(api=5_000, render=20_000, deliver=8_000, track=20_000)


def plan(**changes: Any) -> Plan:
    return plan_for(Requirements(**changes), RATES)


def test_a_million_an_hour_is_278_a_second() -> None:
    made = plan()
    assert made.rate == pytest.approx(277.8, abs=0.1)
    assert made.peak_rate == pytest.approx(2_778, abs=1)
    assert made.notification_rate == pytest.approx(361.1, abs=0.1)


def test_bytes_follow_from_sizes_replication_and_retention() -> None:
    made = plan(
        events_per_hour=3_600,
        peak_factor=2,
        devices_per_event=1,
        sends_per_notification=1,
        event_bytes=100,
        notification_bytes=200,
        receipt_bytes=50,
        compression=0.5,
        replication=3,
        retention_hours=1,
        outcome_bytes=10,
        outcome_days=1,
    )
    assert made.door_bytes == 200
    assert made.kafka_bytes == 2 * (100 + 200 + 2 * 50) * 0.5 * 3
    assert made.kafka_stored == (100 + 200 + 2 * 50) * 0.5 * 3 * 3_600
    assert made.outcomes_stored == 2 * 10 * 86_400
    assert made.fcm_bytes == 2 * 200


def test_processes_carry_the_peak_with_room_to_spare() -> None:
    made = plan(events_per_hour=36_000_000, peak_factor=1, fcm_quota_per_minute=6_000_000)
    assert made.processes == {"api": 4, "render": 2, "deliver": 3, "track": 2}
    assert made.capacity >= made.peak_rate / 0.6


def test_two_of_each_program_run_however_little_there_is_to_do() -> None:
    assert set(plan(events_per_hour=1).processes.values()) == {2}


def test_the_quota_of_fcm_is_shared_at_the_peak() -> None:
    made = plan(peak_factor=10, devices_per_event=2, sends_per_notification=1)
    assert made.fcm_quota_share == pytest.approx(5_555.6 / 10_000, rel=0.001)
    assert made.fcm_peak_seconds == 1
    more = plan(peak_factor=40, devices_per_event=2, sends_per_notification=1)
    assert more.fcm_quota_share == more.fcm_peak_seconds == pytest.approx(2.222, rel=0.001)
    assert more.capacity == 5_000, "of notifications 10,000 a second, two an event"


def test_more_than_the_quota_on_average_is_impossible() -> None:
    with pytest.raises(Impossible, match="ask for a larger quota"):
        plan(events_per_hour=36_000_000, devices_per_event=2)


def test_brokers_hold_every_replica_and_the_peaks_bytes() -> None:
    assert plan(replication=3).brokers == 3
    slow = replace(RATES, broker_bytes=1e6)
    made = plan_for(Requirements(), slow)
    assert made.brokers > 3
    assert made.kafka_bytes <= made.brokers * slow.broker_bytes * 0.6


@pytest.mark.parametrize(("consumers", "brokers"), [(1, 1), (2, 3), (4, 3), (7, 5), (40, 9)])
def test_partitions_are_spread_evenly_and_leave_room(consumers: int, brokers: int) -> None:
    count = partitions(consumers, brokers)
    assert count % brokers == 0
    assert 2 * consumers <= count <= 8 * max(consumers, brokers)


def test_a_backlog_drains_at_what_is_left_of_the_capacity() -> None:
    assert drain_seconds(1_000_000, 5_000) == 200
    assert drain_seconds(1_000_000, 5_000, arriving=278) == pytest.approx(211.8, abs=0.1)
    assert drain_seconds(0, 1) == 0


@pytest.mark.parametrize(("capacity", "arriving"), [(278, 278), (100, 278), (0, 0)])
def test_a_backlog_that_never_drains_is_impossible(capacity: float, arriving: float) -> None:
    with pytest.raises(Impossible, match="does not shrink"):
        drain_seconds(1_000, capacity, arriving)


def test_cost_adds_up_cores_memory_disks_and_egress() -> None:
    wanted = Requirements()
    free = Prices(core_hour=0, memory_gb_hour=0, disk_gb_month=0, egress_gb=0)
    made = plan_for(wanted, RATES, free)
    assert made.cost_per_month == 0
    cores = sum(made.processes.values()) + made.brokers
    parts = {
        "core_hour": cores * 730,
        "memory_gb_hour": (made.brokers * 4 + 1.5 + (cores - made.brokers - 2) * 0.15) * 730,
        "disk_gb_month": (made.kafka_stored + made.outcomes_stored) / 1e9,
        "egress_gb": 361.1 * 1.05 * 750 * 730 * 3_600 / 1e9,
    }
    for name, units in parts.items():
        priced = plan_for(wanted, RATES, replace(free, **{name: 1.0}))
        assert priced.cost_per_month == pytest.approx(units, rel=0.001), name


def test_pods_are_all_processes_the_driver_and_the_brokers() -> None:
    assert plan().pods == sum(plan().processes.values()) + 1 + plan().brokers


def test_rates_come_from_results_and_what_is_given_beside() -> None:
    results = {"rates": {"api": 6_000, "render": 30_000, "deliver": 9_000, "other": 1}}
    assert Rates.of(results, track=10_000) == Rates(
        api=6_000, render=30_000, deliver=9_000, track=10_000
    )
    assert Rates.of(results, track=1, api=2).api == 2


def test_a_rate_that_nobody_measured_is_asked_for() -> None:
    with pytest.raises(Impossible, match="for deliver, track"):
        Rates.of({}, api=1, render=1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"events_per_hour": 0},
        {"events_per_hour": float("nan")},
        {"peak_factor": 0.5},
        {"devices_per_event": -1},
        {"compression": 0},
        {"utilisation": 1.5},
        {"replication": 0},
        {"replication": 2, "min_insync": 3},
        {"retention_hours": float("inf")},
    ],
)
def test_impossible_requirements_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Impossible):
        Requirements(**cast(Any, wrong))


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(Impossible, match="deliver is 0"):
        Rates(api=1, render=1, deliver=0, track=1)
