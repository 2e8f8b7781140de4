"""The report: any part of it is that part of the whole, and it is never held as a whole."""

import base64
import hashlib
import time
from collections.abc import Iterator

import psutil
import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st

from answerbook.protocols import shop
from answerbook.protocols.peer import Peer
from answerbook.protocols.shop import report
from answerbook.protocols.trial import wired

SECONDS = 60
SIZE = 3 * report.BLOCK_BYTES + 1_234
LARGE = 200_000_000


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with shop.serve(report_bytes=SIZE) as started:
        yield f"{started.url}/report"


@pytest.fixture(scope="module")
def whole(url: str) -> bytes:
    return get(url).content


@pytest.fixture
def large() -> Iterator[Peer]:
    with shop.serve() as started:
        yield started


def test_a_report_has_its_size_its_tag_and_its_digest(url: str, whole: bytes) -> None:
    answer = get(url)
    assert SIZE == len(whole) == int(answer.headers["Content-Length"])
    assert ("bytes", '"edition-1"') == (answer.headers["Accept-Ranges"], answer.headers["ETag"])
    assert digest(whole) == answer.headers["Repr-Digest"]


def test_its_head_says_the_same_without_a_body(url: str) -> None:
    head, answer = requests.head(url, timeout=SECONDS), get(url)
    assert b"" == head.content
    for name in ("Content-Length", "ETag", "Repr-Digest", "Accept-Ranges"):
        assert answer.headers[name] == head.headers[name]


positions = st.one_of(
    st.integers(0, SIZE + 5),
    st.sampled_from([0, report.BLOCK_BYTES - 1, report.BLOCK_BYTES, SIZE - 1, SIZE]),
)


@settings(max_examples=60, deadline=None)
@given(first=positions, last=st.one_of(st.none(), positions))
def test_a_part_is_that_part_of_the_whole(
    url: str, whole: bytes, first: int, last: int | None
) -> None:
    answer = get(url, Range=f"bytes={first}-{'' if last is None else last}")
    if last is not None and last < first:
        assert (200, whole) == (answer.status_code, answer.content)  # invalid, so ignored
    elif first >= SIZE:
        assert (416, f"bytes */{SIZE}") == (answer.status_code, answer.headers["Content-Range"])
    else:
        expected = whole[first:] if last is None else whole[first : last + 1]
        assert (206, expected) == (answer.status_code, answer.content)
        ends = first + len(expected) - 1
        assert f"bytes {first}-{ends}/{SIZE}" == answer.headers["Content-Range"]
        assert digest(whole) == answer.headers["Repr-Digest"]


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 2 * SIZE))
def test_the_last_so_many_bytes_are_those_of_the_end(url: str, whole: bytes, count: int) -> None:
    answer = get(url, Range=f"bytes=-{count}")
    assert (206, whole[-count:]) == (answer.status_code, answer.content)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)).map(str.strip))
@example("bytes=0-1,5-6")
@example("lines=0-1")
@example("bytes=-0")
@example("bytes=+0-1")
@example("bytes=1_0-2_0")
@example("bytes=" + "9" * 5_000 + "-")
def test_whatever_range_comes_the_answer_is_the_whole_or_a_part_of_it(
    url: str, whole: bytes, wanted: str
) -> None:
    answer = get(url, Range=wanted)
    if answer.status_code == 206:
        first, last = (
            int(it) for it in answer.headers["Content-Range"][6:].split("/")[0].split("-")
        )
        assert whole[first : last + 1] == answer.content
    else:
        assert answer.status_code == 416 or (200, whole) == (answer.status_code, answer.content)


@pytest.mark.parametrize(
    ("condition", "status"),
    [('"edition-1"', 206), ('"edition-2"', 200), ('W/"edition-1"', 200), ("edition-1", 200)],
)
def test_a_part_under_a_condition_is_sent_for_the_same_strong_tag_only(
    url: str, condition: str, status: int
) -> None:
    assert status == get(url, Range="bytes=5-", **{"If-Range": condition}).status_code


def test_a_download_that_was_cut_anywhere_is_resumed_to_the_same_bytes() -> None:
    with shop.serve(report_bytes=SIZE) as peer:
        expected = get(f"{peer.url}/report").content
        line, through = wired(peer.url)
        with line:
            have, tag = b"", '"edition-1"'
            for cut in (0, 500, report.BLOCK_BYTES, 20_000):
                line.cut_after(cut, "answers")
                have += until_cut(f"{through}/report", len(have), tag)
            have += get(f"{through}/report", Range=f"bytes={len(have)}-").content
    assert expected == have


def test_a_new_edition_has_other_bytes_another_tag_and_another_digest() -> None:
    with shop.serve(report_bytes=SIZE) as peer:
        url = f"{peer.url}/report"
        old = get(url)
        assert 201 == requests.post(url, timeout=SECONDS).status_code
        new = get(url)
    assert (len(old.content), '"edition-2"') == (len(new.content), new.headers["ETag"])
    assert old.content != new.content
    assert digest(new.content) == new.headers["Repr-Digest"] != old.headers["Repr-Digest"]


def test_who_is_downloading_ends_with_the_edition_that_was_begun(large: Peer) -> None:
    url = f"{large.url}/report"
    with requests.get(url, stream=True, timeout=SECONDS) as answer:
        hashed = hashlib.sha256()
        for number, piece in enumerate(answer.iter_content(1_000_000)):
            hashed.update(piece)
            if number == 0:
                requests.post(url, timeout=SECONDS).raise_for_status()
    encoded = base64.b64encode(hashed.digest()).decode()
    assert f"sha-256=:{encoded}:" == answer.headers["Repr-Digest"]


def test_a_report_of_200_mb_is_sent_without_being_held(large: Peer) -> None:
    process = psutil.Process(large.pid)
    requests.head(f"{large.url}/report", timeout=SECONDS)  # computes the digest, which is kept
    before = peak = process.memory_info().rss
    with requests.get(f"{large.url}/report", stream=True, timeout=SECONDS) as answer:
        for piece in answer.iter_content(10_000_000):
            assert piece
            peak = max(peak, process.memory_info().rss)
    assert peak - before < LARGE / 10


def test_a_client_that_reads_nothing_holds_up_nobody_else(large: Peer) -> None:
    url = f"{large.url}/report"
    with requests.get(url, stream=True, timeout=SECONDS) as unread:
        assert requests.get(f"{large.url}/stock", timeout=SECONDS).ok
        assert LARGE == int(unread.headers["Content-Length"])


def test_the_shop_stops_making_what_nobody_reads_any_more(large: Peer) -> None:
    process = psutil.Process(large.pid)
    with requests.get(f"{large.url}/report", stream=True, timeout=SECONDS):
        pass  # and the connection is closed, with most of it unread
    deadline = time.monotonic() + SECONDS
    while process.cpu_percent(interval=0.3) > 5:
        assert time.monotonic() < deadline, "it still computes"
    assert requests.get(f"{large.url}/stock", timeout=SECONDS).ok


def until_cut(url: str, have: int, tag: str) -> bytes:
    headers = {"Range": f"bytes={have}-", "If-Range": tag}
    got = b""
    try:
        with requests.get(url, headers=headers, stream=True, timeout=SECONDS) as answer:
            assert 206 == answer.status_code
            for piece in answer.iter_content(100):
                got += piece
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return got
    raise AssertionError("the wire was to cut it")


def get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=SECONDS)


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"
