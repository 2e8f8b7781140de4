from itertools import pairwise
from typing import Any, cast

import pytest

from answerbook.load.latencies import Latencies
from answerbook.load.shapes import NAMES, SECONDS, Shape, shape


def within(arrivals: list[float], start: float, end: float) -> int:
    return sum(start <= due < end for due in arrivals)


def test_steady_is_a_million_an_hour() -> None:
    arrivals = list(shape("steady", seconds=10).arrivals())
    assert len(arrivals) == pytest.approx(2_778, abs=2)
    gaps = [later - earlier for earlier, later in pairwise(arrivals)]
    assert min(gaps) == pytest.approx(0.0036)
    assert max(gaps) == pytest.approx(0.0036)


def test_a_spike_is_ten_times_as_much_for_15_seconds() -> None:
    spike = shape("spike", rate=10)
    arrivals = list(spike.arrivals())
    start, end = spike.spike
    assert (end - start, SECONDS["spike"]) == (15, 60)
    assert within(arrivals, start, end) == pytest.approx(1_500, abs=2)
    assert len(arrivals) == pytest.approx(45 * 10 + 1_500, abs=4)


def test_a_ramp_grows_by_its_rate_each_ten_seconds() -> None:
    ramp = shape("ramp", seconds=30, rate=100)
    arrivals = list(ramp.arrivals())
    assert [ramp.rate_at(second) for second in (0, 10, 20)] == [100, 200, 300]
    counts = [within(arrivals, start, start + 10) for start in (0, 10, 20)]
    assert counts == pytest.approx([1_500, 2_500, 3_500], rel=0.01)


def test_a_soak_lasts_an_hour() -> None:
    assert shape("soak").seconds == 3_600


def test_a_request_of_many_events_comes_less_often() -> None:
    arrivals = list(Shape("steady", seconds=10, rate=500).arrivals(batch=100))
    assert arrivals == pytest.approx([number / 5 for number in range(50)])


def test_every_shape_has_its_arrivals_in_order() -> None:
    for name in NAMES:
        arrivals = list(Shape(name, seconds=2, rate=50).arrivals())
        assert arrivals == sorted(arrivals)
        assert 0 == arrivals[0] <= arrivals[-1] < 2


@pytest.mark.parametrize("wrong", [{"name": "wave"}, {"seconds": 0}, {"rate": -1.0}])
def test_an_impossible_shape_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"shape"):
        Shape(**cast(Any, {"name": "steady", "seconds": 1.0} | wrong))


def test_percentiles_are_those_of_what_was_added() -> None:
    latencies = Latencies(number / 1_000 for number in range(1, 1_001))
    assert latencies.percentile(0.5) == pytest.approx(0.5, rel=0.005)
    assert latencies.percentile(0.99) == pytest.approx(0.99, rel=0.005)
    assert latencies.percentile(1.0) == latencies.most == 1
    assert latencies.percentile(0.0) == 0.001


def test_latencies_add_up() -> None:
    whole, part = Latencies([0.1, 0.2]), Latencies([3.0])
    whole.update(part)
    assert (whole.count, whole.most, whole.percentile(1)) == (3, 3.0, 3.0)


def test_no_latency_has_no_percentile() -> None:
    assert Latencies().percentile(0.99) is None


def test_a_percentile_of_more_than_all_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        Latencies([1.0]).percentile(99)
