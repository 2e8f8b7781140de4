"""The site by other servers than uWSGI, as notebook 5.3 has it, and what a page takes."""

import httpx
import psutil
import pytest

from answerbook.notebook.search_site import cpu_seconds, served
from answerbook.services import Site

RUNSERVER = ("python", "manage.py", "runserver", "--noreload", "{address}")
GRANIAN = (
    *("granian", "--interface", "wsgi", "--workers", "2", "--port", "{port}"),
    "project.wsgi:application",
)


@pytest.mark.parametrize("words", [RUNSERVER, GRANIAN], ids=["runserver", "granian"])
def test_another_server_has_the_same_documents_and_is_gone_after_its_block(
    site: Site, words: tuple[str, ...]
) -> None:
    with served(site, *words) as server:
        tree = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        there, here = (
            httpx.get(f"{url}/api/search", params={"q": "kafka"}).json()
            for url in (server.url, site.url)
        )
    assert here["hits"] == there["hits"] != []
    assert [] == [process for process in tree if process.is_running()]
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def test_server_is_told_more_variables(site: Site) -> None:
    with served(site, *RUNSERVER, SITE_DEBUG="1") as server:
        assert "URLconf" in httpx.get(f"{server.url}/nothing").text


def test_server_that_does_not_start_says_why(site: Site) -> None:
    with (
        pytest.raises(RuntimeError, match=r"python ended with 1.\n(.|\n)*Unknown command"),
        served(site, "python", "manage.py", "nothing"),
    ):
        pass


def test_processor_time_is_that_of_who_did_the_work(site: Site) -> None:
    with cpu_seconds(site, site) as ours:
        for _ in range(20):
            httpx.get(f"{site.url}/search", params={"q": "kafka"})
    with served(site, *RUNSERVER) as server, cpu_seconds(site, server) as theirs:
        for _ in range(20):
            httpx.get(f"{server.url}/search", params={"q": "kafka"})
    assert {"uwsgi", "nginx", "postgres"} == set(ours)
    assert ours["uwsgi"] > 2 * ours["nginx"]
    assert theirs["server"] > 2 * theirs["uwsgi"]
    assert min(ours["postgres"], theirs["postgres"]) > 0
