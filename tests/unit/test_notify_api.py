"""The parts of the API that need no service: rate, keys, bodies, times, ids, and its memory."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from answerbook.notify.api import body as bodies
from answerbook.notify.api import docs, openapi
from answerbook.notify.api.body import MOST_BYTES, Bodies, Gone
from answerbook.notify.api.bucket import Bucket
from answerbook.notify.api.identity import uuid7
from answerbook.notify.api.keyring import Keyring
from answerbook.notify.api.problems import KINDS, Problem
from answerbook.notify.api.states import Recent
from answerbook.notify.api.times import milliseconds, rfc3339
from answerbook.notify.running import log
from answerbook.notify.store.keys import Key, find_key

# -- rate ----------------------------------------------------------------------------------------


def test_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = Bucket(2_000, now=0.0)

    assert 0.0 == bucket.take(2_000, now=0.0)
    assert 0.05 == bucket.take(100, now=0.0)
    assert 0.0 == bucket.take(100, now=0.05)
    assert (0, 1) == (bucket.remaining, bucket.full_in)


def test_bucket_holds_a_whole_batch_however_low_the_rate() -> None:
    bucket = Bucket(10, now=0.0)

    assert 0.0 == bucket.take(1_000, now=0.0)
    assert 100.0 == bucket.take(1_000, now=0.0)


def test_tokens_that_were_not_needed_are_given_back() -> None:
    bucket = Bucket(1_000, now=0.0)
    bucket.take(600, now=0.0)
    bucket.give_back(600)

    assert 1_000 == bucket.remaining


def test_other_rate_holds_at_once_and_fills_nothing() -> None:
    bucket = Bucket(5_000, now=0.0)
    bucket.take(5_000, now=0.0)
    bucket.set_rate(1_000)

    assert (0, 1_000) == (bucket.remaining, bucket.burst)
    assert 1.0 == bucket.take(1_000, now=0.0)


@given(
    st.integers(1, 5_000),
    st.lists(st.tuples(st.integers(1, 1_000), st.floats(0, 3)), max_size=50),
)
def test_bucket_never_lets_more_through_than_burst_and_rate(
    rate: int, takes: list[tuple[int, float]]
) -> None:
    bucket = Bucket(rate, now=0.0)
    now = taken = 0.0
    for events, pause in takes:
        now += pause
        wait = bucket.take(events, now)
        assert wait >= 0
        taken += events if wait == 0 else 0

    assert taken <= bucket.burst + rate * now + 1e-6


# -- keys ----------------------------------------------------------------------------------------

KEY = Key("shop-1", 500, hashlib.sha256(b"se_cret").digest())


def test_key_is_found_by_its_token_alone() -> None:
    keys = {KEY.key_id: KEY}

    assert KEY is find_key(keys, "ab_shop-1_se_cret")
    for wrong in (
        "ab_shop-1_secret",
        "ab_shop-1_",
        "ab_shop-2_se_cret",
        "xy_shop-1_se_cret",
        "shop-1_se_cret",
        "",
        "ab__",
    ):
        assert find_key(keys, wrong) is None, wrong


def test_hash_of_a_key_is_not_shown() -> None:
    assert "secret_hash" not in repr(KEY)


@pytest.mark.parametrize(
    "header", [None, b"", b"Basic YTpi", b"Bearer", b"Bearer ab_shop-1_no", b"Bearer \xff\xfe"]
)
def test_caller_without_a_right_key_is_challenged(header: bytes | None) -> None:
    with pytest.raises(Problem) as caught:
        Keyring({KEY.key_id: KEY}).caller(header)

    assert 401 == caught.value.answer.status
    assert dict(caught.value.answer.headers)[b"www-authenticate"].startswith(b"Bearer realm=")


def test_right_key_is_not_called_wrong_before_the_keys_are_known() -> None:
    with pytest.raises(Problem) as caught:
        Keyring().caller(b"Bearer ab_shop-1_se_cret")

    assert 503 == caught.value.answer.status


def test_bucket_outlives_the_keys_being_read_again_but_not_their_rate() -> None:
    keyring = Keyring({KEY.key_id: KEY})
    _, bucket = keyring.caller(b"Bearer ab_shop-1_se_cret")
    bucket.take(400)
    keyring.replace({KEY.key_id: Key("shop-1", 2_000, KEY.secret_hash)})

    _, again = keyring.caller(b"bearer ab_shop-1_se_cret")
    assert bucket is again
    assert 2_000 == again.rate


def test_revoked_key_is_refused() -> None:
    keyring = Keyring({KEY.key_id: KEY})
    keyring.replace({})

    with pytest.raises(Problem, match="not valid"):
        keyring.caller(b"Bearer ab_shop-1_se_cret")


# -- bodies --------------------------------------------------------------------------------------


def sender(chunks: int, size: int, read: list[int]) -> Callable[[], Awaitable[dict[str, Any]]]:
    """What ASGI calls `receive`; `read` gets the size of each chunk that was asked for."""

    async def receive() -> dict[str, Any]:
        read.append(size)
        more = len(read) < chunks
        return {"type": "http.request", "body": b"x" * size, "more_body": more}

    return receive


def test_body_in_pieces_is_put_together() -> None:
    read: list[int] = []

    assert b"x" * 5_000 == asyncio.run(Bodies().read(sender(5, 1_000, read), None))


def test_endless_body_is_read_to_the_limit_and_no_further() -> None:
    read: list[int] = []

    with pytest.raises(Problem) as caught:
        asyncio.run(Bodies().read(sender(1_000_000, 65_536, read), None))

    assert 413 == caught.value.answer.status
    assert MOST_BYTES < sum(read) <= MOST_BYTES + 65_536


def test_body_that_says_it_is_too_large_is_not_read() -> None:
    read: list[int] = []

    with pytest.raises(Problem):
        asyncio.run(Bodies().read(sender(1, 1, read), b"%d" % (MOST_BYTES + 1)))

    assert [] == read


def test_all_bodies_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BYTES_HELD", 10_000)

    async def two_at_once() -> list[bytes | BaseException]:
        shared = Bodies()
        halves = asyncio.Event()

        async def half() -> dict[str, Any]:
            await halves.wait()
            return {"type": "http.request", "body": b"x" * 4_000}

        def slow() -> Callable[[], Awaitable[dict[str, Any]]]:
            first = iter([True])

            async def receive() -> dict[str, Any]:
                if next(first, False):
                    return {"type": "http.request", "body": b"x" * 4_000, "more_body": True}
                return await half()

            return receive

        tasks = [asyncio.create_task(shared.read(slow(), None)) for _ in range(2)]
        await asyncio.sleep(0)
        halves.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        return [*answers, await shared.read(slow(), None)]

    refused, taken, later = asyncio.run(two_at_once())

    assert isinstance(refused, Problem)
    assert 503 == refused.answer.status
    assert b"x" * 8_000 == taken == later


def test_caller_that_hangs_up_is_not_answered() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(Gone):
        asyncio.run(Bodies().read(receive, None))


def test_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SECONDS", 0.01)
    first = iter([{"type": "http.request", "body": b"x", "more_body": True}])

    async def receive() -> dict[str, Any]:
        message = next(first, None)
        return message if message is not None else await asyncio.Future()

    with pytest.raises(Problem) as caught:
        asyncio.run(Bodies().read(receive, None))

    assert 408 == caught.value.answer.status


# -- times and ids -------------------------------------------------------------------------------


@given(st.datetimes(timezones=st.just(UTC)))
def test_time_of_any_year_is_read_as_it_was_written(moment: datetime) -> None:
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

    assert expected == milliseconds(moment.isoformat())
    assert expected == milliseconds(moment.isoformat().replace("+00:00", "z").replace("T", "t"))
    assert expected == milliseconds(rfc3339(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2017-01-01T00:59:60.5+01:00", 1_483_228_800_500),
        ("0000-03-01T00:00:00Z", -62_162_035_200_000),
        ("0000-02-29T00:00:00Z", -62_162_121_600_000),
        ("9999-12-31T23:59:59.999999999-23:59", 253_402_387_139_999),
    ],
)
def test_time_that_python_does_not_know_is_read_too(text: str, expected: int) -> None:
    assert expected == milliseconds(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T12:00:60Z",
        "",
    ],
)
def test_time_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        milliseconds(text)


def test_ids_differ_and_sort_by_time() -> None:
    ids = [uuid7() for _ in range(1_000)]

    assert 1_000 == len(set(ids))
    assert [each[:13] for each in ids] == sorted(each[:13] for each in ids)


def test_memory_of_accepted_events_forgets_the_oldest() -> None:
    recent = Recent(most=3)
    recent.add(["k/1", "k/2"], "run", 1)
    recent.add(["k/3", "k/4"], "run", 2)

    assert recent.get("k/1") is None
    assert [("run", 1), ("run", 2), ("run", 2)] == [recent.get(f"k/{n}") for n in (2, 3, 4)]


# -- log -----------------------------------------------------------------------------------------


def test_log_of_a_fault_holds_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(token: str) -> None:
        raise RuntimeError(f"{len(token)} characters")

    with pytest.raises(RuntimeError) as caught:
        fail("ab_shop_secret")
    log().error("a request failed", exc_info=caught.value)

    line = json.loads(capsys.readouterr().err)
    (exception,) = line["exception"]
    assert ("RuntimeError", "14 characters") == (exception["exc_type"], exception["exc_value"])
    assert "ab_shop_secret" not in str(line)


# -- documents -----------------------------------------------------------------------------------


def test_document_refers_only_to_what_it_has() -> None:
    document = openapi.document()
    text = json.dumps(document)
    for kind in ("schemas", "headers"):
        for name in document["components"][kind]:
            assert f'"#/components/{kind}/{name}"' in text, name
    for part in text.split('"$ref": "#/components/')[1:]:
        kind, name = part.partition('"')[0].split("/")
        assert name in document["components"][kind]


def test_page_needs_nothing_from_elsewhere_and_explains_every_problem() -> None:
    page = docs.page(openapi.document())

    for foreign in ("src=", "<script", "<link", "@import", "url("):
        assert foreign not in page
    for kind in KINDS:
        assert f'id="{kind}"' in page
