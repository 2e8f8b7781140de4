"""The pages, the API and the commands, as Django answers them; tests/browser sees them drawn."""

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import project
from search import analytics
from search.models import Asked, Document

pytestmark = pytest.mark.usefixtures("db", "static_files")

ROOT = Path(project.__file__).resolve().parents[1]
SECRET = "x1" * 40
"""Of a deployment that is made up for a test."""
ODD = (
    "\x00",
    "a" * 10_000,
    '"' * 5_000,
    "-",
    "*",
    "or",
    "!&|()<->:*",
    "'; DROP TABLE search_document; --",
    ".*+?^${}()[]\\",
    "%",
    "\\",
    "\ud800",
    "<svg/onload=alert(1)>",
)


@pytest.fixture
def documents() -> list[Document]:
    return [
        Document.objects.create(
            source="test",
            external_id=str(number),
            title=f"Socket {number}",
            body="Reads from a connection.",
            kind=("thing", "other")[number % 2],
            tags=["net"],
            url=f"https://example.com/{number}",
        )
        for number in range(25)
    ]


# -- whatever is typed ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/search", "/api/search", "/api/suggest"])
@pytest.mark.parametrize("typed", ODD, ids=range(len(ODD)))
def test_what_nobody_means_is_answered(client: Client, path: str, typed: str) -> None:
    answer = client.get(path, {"q": typed.encode("utf-8", "surrogatepass")})
    assert answer.status_code in (200, 400, 422)


@given(
    st.dictionaries(
        st.sampled_from(["q", "kind", "source", "tag", "year", "order", "page", "else"]),
        st.text(max_size=30),
    )
)
@settings(max_examples=100, suppress_health_check=list(HealthCheck), deadline=None)
def test_no_address_breaks_a_page(parameters: dict[str, str]) -> None:
    client = Client(SERVER_NAME="localhost", raise_request_exception=False)
    encoded = {name: value.encode("utf-8", "surrogatepass") for name, value in parameters.items()}
    assert 200 == client.get("/search", encoded).status_code
    assert client.get("/api/search", encoded).status_code in (200, 422)


def test_bytes_that_are_no_utf8_are_answered(client: Client) -> None:
    assert 200 == client.get("/search?q=%ff%fe&kind=%c3").status_code


def test_title_and_text_cannot_inject(client: Client) -> None:
    attack = "<svg/onload=alert(1)> <mark> \ue000evil\ue001 socket"
    Document.objects.create(source="x", external_id="1", title=attack, body=attack)
    for path in ("/search?q=socket", "/search?q=%3Csvg/onload=alert(1)%3E+or+socket"):
        page = client.get(path).content.decode()
        assert "socket" in page
        assert "<svg" not in page
        assert "&lt;svg/onload" in page


# -- results -------------------------------------------------------------------------------------


def test_page_of_results_asks_the_database_a_fixed_number_of_times(
    client: Client, documents: list[Document]
) -> None:
    client.get("/search?q=socket")  # what a worker learns once
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get("/search?q=socket&kind=thing")
    searching = [query["sql"] for query in asked if not re.match("SAVEPOINT|RELEASE", query["sql"])]
    assert len(searching) == MOST_QUERIES, "\n".join(sql.strip()[:60] for sql in searching)


MOST_QUERIES = 8
"""Time limit, synonyms, words, statistics, a look, page; and two for the record of it."""


def test_address_holds_the_whole_state(client: Client, documents: list[Document]) -> None:
    page = client.get("/search?q=socket&kind=thing&order=date&page=2").content.decode()
    assert 'rel="prev"' in page
    assert '<input type="hidden" name="kind" value="thing">' in page
    assert page == re.sub(
        r"in 0\.\d+ s",
        re.search(r"in 0\.\d+ s", page)[0],  # type: ignore[index]
        client.get("/search?q=socket&kind=thing&order=date&page=2").content.decode(),
    )


def test_search_that_takes_too_long_is_503(
    client: Client,
    documents: list[Document],
    settings_of_site: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings_of_site.SEARCH_SECONDS = 1
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE search_synonym RENAME TO slow;"
            "CREATE VIEW search_synonym AS SELECT slow.* FROM slow, pg_sleep(30)"
        )
    page = client.get("/search?q=socket")
    assert (503, "30") == (page.status_code, page.headers["Retry-After"])
    assert "Too broad" in page.content.decode()
    told = client.get("/api/search?q=socket")
    assert (503, "application/problem+json") == (told.status_code, told.headers["Content-Type"])


def test_document_has_a_page(client: Client, documents: list[Document]) -> None:
    shown = client.get(f"/document/{documents[0].pk}").content.decode()
    assert "Reads from a connection." in shown
    assert 'href="https://example.com/0"' in shown
    assert 404 == client.get("/document/999999999").status_code


def test_document_leads_to_where_a_setting_says(settings_of_site: Any) -> None:
    document = Document(pk=7, url="/notebooks/5_1.html#Ranking")
    assert "/document/7" == document.get_absolute_url()
    settings_of_site.DOCUMENTS_URL = "https://example.com/book"
    assert "https://example.com/book/notebooks/5_1.html#Ranking" == document.get_absolute_url()


# -- headers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/search?q=a", "/admin/login/", "/api/search?q=a", "/no"])
def test_every_answer_keeps_others_out(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "same-origin" == headers["Cross-Origin-Opener-Policy"]
    assert "same-origin" == headers["Cross-Origin-Resource-Policy"]
    assert "same-origin" == headers["Referrer-Policy"]
    assert "camera=()" in headers["Permissions-Policy"]
    assert "DENY" == headers["X-Frame-Options"]


# -- programs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/search", "q"),
        ("/api/search?q=a&q=b", "q"),
        ("/api/search?q=a&year=soon", "year"),
        ("/api/search?q=a&page=0", "page"),
        ("/api/search?q=a&order=random", "order"),
        ("/api/search?q=a&colour=red", "colour"),
    ],
)
def test_wrong_parameter_is_named(client: Client, path: str, name: str) -> None:
    answer = client.get(path)
    assert "application/problem+json" == answer.headers["Content-Type"]
    problem = answer.json()
    assert (422, name) == (problem["status"], problem["name"])


def test_every_error_of_the_api_is_a_problem(client: Client) -> None:
    for answer, status in ((client.get("/api/nothing"), 404), (client.post("/api/search"), 405)):
        assert "application/problem+json" == answer.headers["Content-Type"]
        assert (status, status) == (answer.status_code, answer.json()["status"])
    assert "GET" in client.post("/api/search").headers["Allow"]


def test_api_finds_what_the_page_finds(client: Client, documents: list[Document]) -> None:
    told = client.get("/api/search?q=socket&kind=other&page=2").json()
    assert (12, False) == (told["count"]["number"], told["has_next"])
    assert 2 == len(told["hits"])
    assert "<mark>Socket</mark>" in told["hits"][0]["title_html"]
    assert {"kind", "source", "tag", "year"} == told["facets"].keys()


# -- what is kept --------------------------------------------------------------------------------


def test_search_is_kept_without_who_made_it(client: Client, documents: list[Document]) -> None:
    client.get("/search?q=Socket", headers={"User-Agent": "somebody"}, REMOTE_ADDR="192.0.2.1")
    client.get("/search?q=socket&page=2")
    (asked,) = Asked.objects.values()
    assert {"id", "at", "text", "results", "milliseconds"} == asked.keys()
    assert ("socket", 25) == (asked["text"], asked["results"])


def test_search_goes_on_where_nothing_can_be_kept(
    client: Client, documents: list[Document]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE search_asked RENAME TO gone")
    assert 200 == client.get("/search?q=socket").status_code


def test_searches_are_forgotten_after_their_days(settings_of_site: Any) -> None:
    settings_of_site.ANALYTICS_DAYS = 7
    for days in (6, 8):
        row = Asked.objects.create(text=f"{days}", results=0, milliseconds=1)
        Asked.objects.filter(pk=row.pk).update(at=timezone.now() - timedelta(days=days))
    told = StringIO()
    call_command("prune_searches", stdout=told)
    assert "1 older than 7 days" in told.getvalue()
    assert ["6"] == list(Asked.objects.values_list("text", flat=True))


def test_nothing_is_kept_for_no_days(client: Client, settings_of_site: Any) -> None:
    settings_of_site.ANALYTICS_DAYS = 0
    client.get("/search?q=socket")
    assert 0 == Asked.objects.count()


def test_reports_tell_frequent_empty_and_slow_searches() -> None:
    for text, results, milliseconds in (("a", 3, 5), ("a", 3, 7), ("b", 0, 4), ("c", 9, 500)):
        Asked.objects.create(text=text, results=results, milliseconds=milliseconds)
    assert ("a", 2, 6.0) == (
        analytics.top()[0].text,
        analytics.top()[0].times,
        analytics.top()[0].milliseconds,
    )
    assert ["b"] == [line.text for line in analytics.without_results()]
    assert ["c"] == [line.text for line in analytics.slow()]


def test_metrics_are_for_whom_nginx_lets_through(client: Client, documents: list[Document]) -> None:
    client.get("/search?q=socket")
    assert 404 == client.get("/metrics").status_code
    assert 404 == client.get("/metrics", headers={"Site-Metrics": "1"}).status_code
    told = client.get("/metrics", SITE_METRICS="1").content.decode()
    assert re.search(r'site_requests_total\{route="results",status="200"\} \d', told)
    assert "site_search_seconds_bucket" in told


# -- health --------------------------------------------------------------------------------------


def test_site_whose_migrations_are_missing_is_not_ready(client: Client) -> None:
    from search import views

    assert 200 == client.get("/readyz").status_code
    views._migrated.clear()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'search' AND name > '0005'")
    told = client.get("/readyz")
    assert (503, "migrations are missing: manage.py migrate") == (
        told.status_code,
        told.json()["why"],
    )
    assert 200 == client.get("/healthz").status_code


# -- the admin's user ----------------------------------------------------------------------------


def ensure_admin(monkeypatch: pytest.MonkeyPatch, password: str = "") -> str:
    monkeypatch.setenv("SITE_ADMIN_USER", "chief")
    monkeypatch.setenv("SITE_ADMIN_PASSWORD", password)
    told = StringIO()
    call_command("ensure_admin", stdout=told)
    return told.getvalue()


def test_password_is_generated_and_printed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = re.search("shown this once: (.+)", ensure_admin(monkeypatch))
    assert told
    chief = get_user_model().objects.get(username="chief")
    assert chief.check_password(told[1])
    assert chief.password.startswith("argon2$")
    assert "once" not in ensure_admin(monkeypatch)


def test_admin_is_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_admin(monkeypatch)
    get_user_model().objects.update(is_superuser=False)
    ensure_admin(monkeypatch, "a long and unusual one")
    chief = get_user_model().objects.get(username="chief")
    assert chief.is_superuser
    assert chief.check_password("a long and unusual one")


@pytest.mark.parametrize("password", ["demoproject", "password1", "QWERTY123", "letmein1"])
def test_password_that_everybody_tries_is_refused(
    monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    with pytest.raises(CommandError, match="everybody tries first"):
        ensure_admin(monkeypatch, password)
    assert not get_user_model().objects.filter(username="chief").exists()


@pytest.mark.parametrize("tls", [True, False])
def test_admin_is_signed_in_to_with_and_without_tls(
    monkeypatch: pytest.MonkeyPatch, settings_of_site: Any, tls: bool
) -> None:
    settings_of_site.SECURE_SSL_REDIRECT = tls
    settings_of_site.SESSION_COOKIE_SECURE = settings_of_site.CSRF_COOKIE_SECURE = tls
    settings_of_site.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if tls else None
    ensure_admin(monkeypatch, "a long and unusual one")
    client = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    client.defaults["HTTP_X_FORWARDED_PROTO"] = "https" if tls else "http"
    client.get("/admin/login/")
    entered = client.post(
        "/admin/login/?next=/admin/",
        {
            "username": "chief",
            "password": "a long and unusual one",
            "csrfmiddlewaretoken": client.cookies["csrftoken"].value,
        },
        headers={"Referer": f"http{'s' if tls else ''}://localhost/admin/login/"},
    )
    assert (302, "/admin/") == (entered.status_code, entered.headers["Location"])
    assert tls == bool(client.cookies["sessionid"]["secure"])
    assert 200 == client.get("/admin/").status_code
    if tls:
        plain = Client(SERVER_NAME="localhost").get("/admin/login/")
        assert (301, "https://localhost/admin/login/") == (
            plain.status_code,
            plain.headers["Location"],
        )


# -- a deployment's settings ---------------------------------------------------------------------


def manage(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SITE_")}
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *words],
        env=kept | {"DATABASE_URL": "postgresql://u@127.0.0.1:1/site"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_settings_of_a_deployment_pass_djangos_own_check() -> None:
    done = manage(
        *("check", "--deploy", "--fail-level", "WARNING"),
        SITE_SECRET_KEY=SECRET + "abcdef",
        SITE_ALLOWED_HOSTS="search.example.com",
    )
    assert 0 == done.returncode, done.stderr


def test_hsts_is_an_hour_until_somebody_says_longer() -> None:
    code = "from django.conf import settings as s; print(s.SECURE_HSTS_SECONDS)"
    common = {"SITE_SECRET_KEY": SECRET, "SITE_ALLOWED_HOSTS": "search.example.com"}
    assert "3600" in manage("shell", "--no-imports", "-c", code, **common).stdout
    year = {"SITE_HSTS_SECONDS": "31536000"}
    assert "31536000" in manage("shell", "--no-imports", "-c", code, **common, **year).stdout


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({}, "SITE_SECRET_KEY is not set"),
        ({"SITE_SECRET_KEY": SECRET, "DATABASE_URL": "mysql://x"}, "DATABASE_URL has to be"),
        ({"SITE_SECRET_KEY": SECRET, "SITE_RANKER": "best"}, "SITE_RANKER is 'best'"),
        ({"SITE_SECRET_KEY": SECRET, "SITE_SEARCH_SECONDS": "3s"}, "SITE_SEARCH_SECONDS is '3s'"),
        (
            {"SITE_SECRET_KEY": SECRET, "SITE_TLS": "0", "SITE_ALLOWED_HOSTS": "example.com"},
            "SITE_TLS is 0, and SITE_ALLOWED_HOSTS has example.com",
        ),
    ],
)
def test_setting_that_cannot_be_used_is_told_in_one_paragraph(
    variables: dict[str, str], why: str
) -> None:
    done = manage("check", **variables)
    assert 1 == done.returncode
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_openapi_document_names_what_is_there(client: Client) -> None:
    told = client.get("/api/openapi.json").json()
    assert {"/api/search", "/api/suggest"} == told["paths"].keys()
    assert json.dumps(told)
