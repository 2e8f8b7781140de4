"""Load on the search site: what Locust counts is what the site answered."""

import httpx
import psutil
import pytest

from answerbook.load.pages import PagesFailed, asked_for, asking
from answerbook.services import Site


def answered(site: Site) -> int:
    """Result pages, by the site's own account."""
    lines = httpx.get(site.metrics_url).text.splitlines()
    counted = 'site_requests_total{route="results",status="200"}'
    return sum(int(float(line.split()[1])) for line in lines if line.startswith(counted))


def test_pages_are_counted_as_the_site_counts_them(site: Site) -> None:
    before = answered(site)
    load = asked_for(site.url, ["kafka", "exactly once", "socket"], users=3, seconds=3)
    assert load.failures == 0
    assert 10 < load.count <= answered(site) - before <= load.count + 3
    assert 0 < load.p50 <= load.p95
    assert 1 < load.a_second
    under_way = load.a_second * load.mean / 1_000
    assert 1.5 < under_way < 6, "three at once, by Little's law"
    assert 0 < load.cpu_seconds


def test_refused_pages_are_failures(site: Site) -> None:
    load = asked_for(site.url + "/nowhere", ["kafka"], users=1, seconds=1)
    assert 0 < load.failures == load.count


def test_readers_who_pause_ask_once_each(site: Site) -> None:
    load = asked_for(site.url, ["kafka"], users=3, seconds=3, pause=60)
    assert (3, 0) == (load.count, load.failures)


def test_load_goes_on_from_its_first_page_until_the_block_ends(site: Site) -> None:
    before = answered(site)
    with asking(site.url, ["kafka", "socket"], users=2) as under_way:
        assert before < answered(site)
        with pytest.raises(PagesFailed, match="when the block has ended"):
            _ = under_way.pages
        while answered(site) < before + 40:
            pass
    assert 40 - 2 <= under_way.pages.count <= answered(site) - before
    assert under_way.pages.failures == 0


def test_block_that_fails_ends_its_load(site: Site) -> None:
    with pytest.raises(ZeroDivisionError), asking(site.url, ["kafka"], users=1):
        _ = 1 / 0
    commands = [child.cmdline() for child in psutil.Process().children()]
    assert not [words for words in commands if "locust" in words]


def test_locust_that_does_not_start_says_why() -> None:
    with pytest.raises(PagesFailed, match="must be > 0"):
        asked_for("http://127.0.0.1:1", ["a"], users=-1, seconds=1)
    with (
        pytest.raises(PagesFailed, match="must be > 0"),
        asking("http://127.0.0.1:1", ["a"], users=-1),
    ):
        pass
