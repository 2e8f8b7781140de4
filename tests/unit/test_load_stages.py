import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest

from answerbook.load.stages import STAGES, Patience, Progress, Settling, behind
from answerbook.notify import records


def page(rendered: int = 0, sent: int = 0, dead: int = 0) -> str:
    registry = CollectorRegistry()
    render = Counter("answerbook_render_events_total", "", ["outcome"], registry=registry)
    render.labels("expanded").inc(rendered)
    render.labels("suppressed").inc(1)
    deliver = Counter("answerbook_deliver_notifications_total", "", ["outcome"], registry=registry)
    deliver.labels("sent").inc(sent)
    deliver.labels("dead").inc(dead)
    return generate_latest(registry).decode()


def test_stages_read_the_metrics_and_topics_of_the_contract() -> None:
    assert {stage.metric for stage in STAGES} <= set(records.METRICS)
    read = [topic for stage in STAGES for topic in stage.reads]
    assert sorted(read) == sorted(set(records.TOPICS) - {records.DEAD_LETTERS})


def test_progress_counts_from_the_first_look() -> None:
    progress = Progress()
    progress.see("render", page(rendered=1_000))
    assert progress.counts()["rendered"] == 0
    progress.see("render", page(rendered=1_250))
    assert progress.counts()["rendered"] == 250


def test_progress_adds_up_workers_and_leaves_other_outcomes_out() -> None:
    progress = Progress()
    for worker in ("one", "two"):
        progress.see(worker, page())
        progress.see(worker, page(sent=10, dead=5))
    assert progress.counts()["sent"] == 20


def test_a_program_that_was_started_anew_takes_nothing_away() -> None:
    progress = Progress()
    for sent in (0, 100, 20, 30):
        progress.see("worker", page(sent=sent))
    assert progress.counts()["sent"] == 130


def test_what_waits_for_a_stage_is_the_lag_of_its_topics() -> None:
    lag = {records.EVENTS: 7, records.NOTIFICATIONS_HIGH: 2, records.NOTIFICATIONS_NORMAL: 3}
    assert [behind(stage, lag) for stage in STAGES] == [7, 5, 0, 0]


def test_work_is_done_after_as_many_empty_readings_as_could_hide_some() -> None:
    settling = Settling()
    assert not settling.see({"events": 0}, 1.0)
    assert not settling.see({"events": 1}, 2.0)
    assert [settling.see({"events": 0}, at) for at in (3.0, 4.0, 5.0, 6.0, 7.0)] == [
        *(False,) * 4,
        True,
    ]
    assert settling.since == 3.0


@pytest.mark.parametrize(
    ("lag", "said"),
    [
        ({records.EVENTS: 1_234}, "1,234 records wait to be rendered: look at `answerbook logs"),
        ({"retries.30s": 3}, "3 records wait to be retried"),
        ({}, "the API takes no events"),
    ],
)
def test_the_stage_that_stands_still_is_named(lag: dict[str, int], said: str) -> None:
    patience = Patience(60)
    assert patience.see(0, 10, {"sent": 5}, lag) == ""
    assert patience.see(50, 11, {"sent": 5}, lag) == ""
    assert patience.see(109, 11, {"sent": 5}, lag) == ""
    assert said in patience.see(110, 11, {"sent": 5}, lag)
