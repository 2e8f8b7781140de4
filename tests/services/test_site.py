"""`services.require("site")`: uWSGI behind nginx, asked as browsers, crowds and attackers do."""

import re
import shlex
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import httpx
import psutil
import pytest

from answerbook import services
from answerbook.services import CommandFailed, Site
from answerbook.services.native import processes
from tests.services.conftest import UNLIMITED

PATHS = [f"/search?q={word}" for word in ("python", "kafka", "exactly+once", "socket+timeout")]
SECONDS = 20.0


@pytest.fixture
def browser(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, timeout=SECONDS) as client:
        yield client


@contextmanager
def crowd(site: Site, size: int = 4) -> Iterator[Counter[int | str]]:
    """Asks for pages all the while; how many of each status, complete at the block's end."""
    seen: Counter[int | str] = Counter()
    enough = Event()

    def ask(first: int) -> None:
        with httpx.Client(base_url=site.url, timeout=SECONDS) as client:
            number = first
            while not enough.is_set():
                number += 1
                try:
                    seen[client.get(PATHS[number % len(PATHS)]).status_code] += 1
                except httpx.TransportError as error:
                    seen[type(error).__name__] += 1
                    time.sleep(0.01)

    with ThreadPoolExecutor(size) as pool:
        running: list[Future[None]] = [pool.submit(ask, each) for each in range(size)]
        try:
            until(lambda: sum(seen.values()) > 20)
            yield seen
        finally:
            enough.set()
        for each in running:
            each.result()


def until(condition: object, seconds: float = SECONDS) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


# -- what comes ----------------------------------------------------------------------------------


def test_default_corpus_is_found_through_nginx(browser: httpx.Client) -> None:
    answer = browser.get("/search", params={"q": "quorum queues"})
    assert 200 == answer.status_code
    assert "nginx" == answer.headers["Server"]
    assert "<mark>" in answer.text


def test_static_files_are_kept_for_a_year_under_names_with_their_hash(
    browser: httpx.Client,
) -> None:
    page = browser.get("/").text
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = browser.get(path)
        assert 200 == answer.status_code, path
        assert "public, max-age=31536000, immutable" == answer.headers["Cache-Control"], path
        assert "nosniff" == answer.headers["X-Content-Type-Options"]
    assert "/static/search/site" in page


def test_pages_and_style_sheets_are_compressed(browser: httpx.Client) -> None:
    for path in ("/search?q=kafka", "/static/search/site.css"):
        assert "gzip" == browser.get(path).headers.get("Content-Encoding"), path


def test_name_that_is_not_the_sites_is_refused(browser: httpx.Client) -> None:
    assert 400 == browser.get("/", headers={"Host": "evil.example"}).status_code


def test_probes_and_prometheus_may_ask_by_a_containers_address(
    site: Site, browser: httpx.Client
) -> None:
    headers = {"Host": "10.1.2.3:8000"}
    for path in ("/healthz", "/readyz"):
        assert 200 == browser.get(path, headers=headers).status_code, path
    assert 200 == httpx.get(site.metrics_url, headers=headers).status_code


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/search?q={'a' * 10_000}", (200, 400, 414)),
        (f"/search?q={'a' * 20_000}", (414,)),
        ("/search?q=%00", (200, 400)),
        ("/search?q=%ff%fe", (200, 400)),
        (f"/search?q={'%22' * 5_000}", (200, 400)),
    ],
    ids=["10 kB", "20 kB", "NUL", "no UTF-8", "5,000 quotes"],
)
def test_what_no_person_types_is_answered(
    browser: httpx.Client, path: str, status: tuple[int, ...]
) -> None:
    assert browser.get(path).status_code in status


def test_metrics_are_on_their_own_port_alone(site: Site, browser: httpx.Client) -> None:
    browser.get("/search?q=kafka")
    told = httpx.get(site.metrics_url)
    assert 200 == told.status_code
    assert "site_" in told.text
    assert 404 == browser.get("/metrics", headers={"SITE_METRICS": "1"}).status_code
    assert 404 == httpx.get(site.metrics_url.replace("/metrics", "/search?q=a")).status_code


def test_admin_lets_in_whom_the_environment_names(site: Site, browser: httpx.Client) -> None:
    form = browser.get("/admin/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
    assert token
    entered = browser.post(
        "/admin/login/?next=/admin/",
        data={
            "csrfmiddlewaretoken": token[1],
            "username": site.admin_user,
            "password": str(site.admin_password),
        },
    )
    assert (302, "/admin/") == (entered.status_code, entered.headers["Location"])
    assert "Documents" in browser.get("/admin/").text


def test_behind_a_load_balancer_that_ends_tls_people_sign_in_and_nobody_else_says_https(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_tls = {"X-Forwarded-Proto": "https"}

    def get(self: Site, path: str) -> str:
        return httpx.get(f"{self.url}{path}", headers=by_tls).raise_for_status().text

    monkeypatch.setattr(Site, "_get", get)  # or it would never be ready: plain HTTP is sent away
    monkeypatch.setenv("SITE_TLS", "1")
    monkeypatch.setenv("SITE_TRUSTED_PROXIES", "127.0.0.1/32")
    site.restart()
    try:
        plain = httpx.get(f"{site.url}/")
        assert (301, f"https://{site.host}:{site.port}/") == (
            plain.status_code,
            plain.headers["Location"],
        )
        with httpx.Client(base_url=site.url, headers=by_tls) as client:
            page = client.get("/admin/login/")
            assert "max-age=3600" in page.headers["Strict-Transport-Security"]
            (token,) = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
            cookie = page.headers["Set-Cookie"]
            assert "Secure" in cookie
            entered = client.post(
                "/admin/login/?next=/admin/",
                data={
                    "csrfmiddlewaretoken": token,
                    "username": site.admin_user,
                    "password": str(site.admin_password),
                },
                headers={
                    "Cookie": cookie.partition(";")[0],
                    "Referer": f"https://{site.host}:{site.port}/admin/login/",
                },
            )
            assert (302, "/admin/") == (entered.status_code, entered.headers["Location"])
            cookies = entered.headers.get_list("Set-Cookie")
            assert all("Secure" in each for each in cookies)
        # From anywhere but the balancer's network, the header says nothing.
        monkeypatch.setenv("SITE_TRUSTED_PROXIES", "192.0.2.0/24")
        assert 301 == _status_after_nginx_is_told_anew(site, by_tls)
    finally:
        monkeypatch.undo()
        for name, value in UNLIMITED.items():
            monkeypatch.setenv(name, value)
        site.restart()


def _status_after_nginx_is_told_anew(site: Site, headers: dict[str, str]) -> int:
    """It would not count as ready, so its readiness is left aside."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Site, "round_trip", lambda self: None)
        site.restart()
    found: list[int] = []

    def asked() -> bool:
        with suppress(httpx.TransportError):
            found.append(httpx.get(f"{site.url}/", headers=headers).status_code)
        return bool(found) and found[-1] != 503

    until(asked)
    return found[-1]


# -- limits --------------------------------------------------------------------------------------


def test_address_that_asks_too_fast_is_told_when_to_come_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_RATE", "1")
    monkeypatch.setenv("SITE_BURST", "5")
    monkeypatch.setenv("SITE_TRUSTED_PROXIES", "127.0.0.1/32")
    site.restart()
    try:
        with httpx.Client(base_url=site.url) as client:
            answers = [client.get("/healthz"), *(client.get(PATHS[0]) for _ in range(12))]
            refused = [answer for answer in answers if answer.status_code == 429]
            assert refused
            assert {"1"} == {answer.headers["Retry-After"] for answer in refused}
            elsewhere = client.get(PATHS[0], headers={"X-Forwarded-For": "192.0.2.7"})
            assert 200 == elsewhere.status_code, "the proxy says that somebody else asks"
    finally:
        monkeypatch.undo()
        for name, value in UNLIMITED.items():
            monkeypatch.setenv(name, value)
        site.restart()


def test_programs_get_nginxs_own_errors_as_problem_details_and_no_log_has_what_was_searched(
    site: Site,
) -> None:
    site.configure(rate=1, burst=1).restart()
    words = "nobodysbusiness"
    try:
        with httpx.Client(base_url=site.url, timeout=SECONDS) as client:
            paths = (f"/search?q={words}", f"/api/search?q={words}")
            too_many = [client.get(path) for path in 4 * paths][-2:]
            uwsgi = [each for each in site.record().processes if each.role == "uwsgi"]
            processes.kill([found for each in uwsgi if (found := processes.alive(each))])
            time.sleep(2)  # two tokens, at one a second: what comes now is let through
            away = [client.get(path) for path in paths]
        assert [429, 429, 503, 503] == [each.status_code for each in too_many + away]
        for page, program in (too_many, away):
            assert page.headers["Content-Type"].startswith("text/plain")
            assert page.headers["Retry-After"] == program.headers["Retry-After"]
        for program in (too_many[1], away[1]):
            assert "application/problem+json" == program.headers["Content-Type"]
            assert program.status_code == program.json()["status"]
            assert {"title", "status", "detail"} == program.json().keys()
        logs = {path: path.read_bytes() for path in site.folder.rglob("*.log*")}
        assert any(b" 429 " in content for content in logs.values())
        assert [] == [path for path, content in logs.items() if words.encode() in content]
    finally:
        site.configure().restart()


def test_clients_that_send_slowly_keep_nobody_out(site: Site, browser: httpx.Client) -> None:
    slow = [socket.create_connection((site.host, site.port)) for _ in range(200)]
    try:
        for connection in slow:
            connection.sendall(b"GET /search?q=kafka HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        assert 200 == browser.get(PATHS[0]).status_code
        with suppress(ConnectionResetError):
            assert b"" == slow[0].recv(100), "nginx ends a request whose headers take too long"
    finally:
        for connection in slow:
            connection.close()


def test_workers_and_limits_that_are_configured_hold_from_the_next_start(site: Site) -> None:
    def seen() -> tuple[int, set[int]]:
        with httpx.Client(base_url=site.url, timeout=SECONDS) as client:
            statuses = {client.get("/nothing").status_code for _ in range(12)}
        return len(site.worker_processes()), statuses

    site.configure(workers=3, rate=1, burst=5)
    try:
        assert (2, {404}) == seen()
        site.restart()
        assert (3, {404, 429}) == seen()
    finally:
        site.configure().restart()
    assert (2, {404}) == seen()


# -- reloads and ends ----------------------------------------------------------------------------


def workers(site: Site) -> set[int]:
    (master,) = (
        found
        for process in site.record().processes
        if process.role == "uwsgi" and (found := processes.alive(process))
    )
    return {child.pid for child in master.children()}


def test_rolling_reload_under_load_refuses_nobody(site: Site) -> None:
    before = workers(site)
    with crowd(site) as seen:
        site.reload()
    assert {200} == set(seen)
    assert not before & workers(site)


def test_worker_that_was_just_started_again_is_replaced_by_a_reload(site: Site) -> None:
    victim = min(workers(site))
    psutil.Process(victim).kill()
    until(lambda: victim not in workers(site) and len(workers(site)) == site.workers)
    before = workers(site)
    site.reload()
    assert not before & workers(site)


def test_workers_take_requests_once_a_start_or_a_reload_is_over(site: Site) -> None:
    site.restart()
    started = site.worker_processes()
    site.reload()
    reloaded = site.worker_processes()
    assert [True] * 2 * site.workers == [each.accepts for each in started + reloaded]
    assert workers(site) == {each.pid for each in reloaded}


def test_site_that_was_just_reloaded_ends_in_order(site: Site) -> None:
    site.reload()
    site.stop()
    assert "goodbye to uWSGI" in (site.folder / "uwsgi.log").read_text(), "it was killed"
    site.start()


def test_orderly_end_answers_what_it_has_taken(site: Site) -> None:
    with crowd(site) as seen:
        site.stop()
    site.start()
    assert {200, "ConnectError"} >= set(seen), "a page is whole, or was never begun"


@pytest.mark.parametrize("role", ["uwsgi", "nginx"])
def test_site_that_lost_one_of_its_programs_is_started_anew_and_none_is_left_over(
    site: Site, still_running: Callable[[Path], list[psutil.Process]], role: str
) -> None:
    lost = [each for each in site.record().processes if each.role == role]
    processes.kill([found for each in lost if (found := processes.alive(each))])
    services.require("site")
    assert 200 == httpx.get(f"{site.url}{PATHS[0]}").status_code
    recorded = {each.pid for each in site.record().processes}
    masters = {
        process.pid
        for process in still_running(site.state.path)
        if process.name() in ("nginx", "uwsgi") and process.ppid() not in recorded
    }
    assert recorded == masters


def test_worker_that_is_killed_is_replaced(site: Site, browser: httpx.Client) -> None:
    victim = min(workers(site))
    with crowd(site) as seen:
        psutil.Process(victim).kill()
        until(lambda: victim not in workers(site) and len(workers(site)) == site.workers)
    assert set(seen) <= {200, 503}, "of what that worker was answering, nginx says so"
    assert seen[503] <= 4
    assert 200 == browser.get(PATHS[0]).status_code


def test_errors_last_as_long_as_postgresql_is_down(site: Site, browser: httpx.Client) -> None:
    with crowd(site) as seen:
        site.postgres.kill()
        until(lambda: seen[503] > 10)
        assert 503 == browser.get("/readyz").status_code
        assert 200 == browser.get("/healthz").status_code
        site.postgres.start()
        until(lambda: browser.get("/readyz").status_code == 200)
        well = seen[200]
        until(lambda: seen[200] > well + 50)
    assert {200, 503} == set(seen), "never a 500, and no page that hangs"


def test_postgresql_that_comes_back_on_another_port_is_found_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = site.postgres.port
    site.postgres.stop()
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", before))
        squatter.listen()
        again = services.require("site")
        assert before != again.postgres.port
        assert 200 == httpx.get(again.url + PATHS[0], timeout=SECONDS).status_code


# -- around it -----------------------------------------------------------------------------------


def test_command_of_the_site_runs_on_its_database(site: Site) -> None:
    told = site.manage(
        "shell", "-c", "from search.models import *; print(Document.objects.count())"
    )
    assert int(told.split()[-1]) > 3_000
    with pytest.raises(CommandFailed, match="Unknown command: 'nothing'"):
        site.manage("nothing")


def test_environment_is_printed_for_manage_py(site: Site) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "answerbook", "env", "site"],
        capture_output=True,
        text=True,
        check=True,
    )
    words = (shlex.split(line) for line in done.stdout.splitlines())
    variables = dict(word.split("=", 1) for _, word in words)
    assert site.url == variables["SITE_URL"]
    assert site.admin_password == variables["SITE_ADMIN_PASSWORD"]
    assert variables["DATABASE_URL"].endswith("/site")


def test_variable_that_nginx_cannot_use_is_named(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.stop()
    monkeypatch.setenv("SITE_RATE", "fast")
    with pytest.raises(services.StartFailed, match="SITE_RATE is 'fast'"):
        site.start()
    monkeypatch.setenv("SITE_RATE", UNLIMITED["SITE_RATE"])
    site.start()


def test_everything_of_it_ends_at_once_and_starts_again(site: Site) -> None:
    site.kill()
    with suppress(httpx.TransportError):
        httpx.get(site.url)
        raise AssertionError("it still answers")
    assert 200 == httpx.get(services.require("site").url, timeout=SECONDS).status_code
