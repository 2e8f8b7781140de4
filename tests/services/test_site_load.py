"""Load on the search site: what Locust counts is what the site answered."""

import httpx
import pytest

from answerbook.load.pages import PagesFailed, asked_for
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


def test_refused_pages_are_failures(site: Site) -> None:
    load = asked_for(site.url + "/nowhere", ["kafka"], users=1, seconds=1)
    assert 0 < load.failures == load.count


def test_locust_that_does_not_start_says_why() -> None:
    with pytest.raises(PagesFailed, match="must be > 0"):
        asked_for("http://127.0.0.1:1", ["a"], users=-1, seconds=1)
