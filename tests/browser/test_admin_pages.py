"""The admin in a real browser: signing in, an import, a synonym, and what people looked for."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from answerbook.services import Site
from tests.browser.conftest import Opened

ADMIN_PAGES = (
    "/admin/",
    "/admin/search/document/",
    "/admin/search/document/?q=socket",
    "/admin/search/document/add/",
    "/admin/search/document/import/",
    "/admin/search/synonym/add/",
    "/admin/search/asked/",
)
ROWS = """source,external_id,title,body,kind,tags,url,date
shop,1,Velocipede,A bicycle with two wheels of one size.,thing,"red,fast",https://example.com/1,2026-01-31
shop,2,,It has no title.,thing,,,
shop,3,Tricycle,Three wheels.,thing,,javascript:alert(1),
shop,4,Unicycle,One wheel.,thing,slow,,yesterday
shop,5,Tandem,A bicycle for two.,thing,,,2025-06-01
"""


@pytest.fixture
def signed_in(opened: Opened, site: Site) -> Page:
    page = opened("/admin/")
    page.get_by_label("Username").fill(site.admin_user)
    page.get_by_label("Password").fill(str(site.admin_password))
    page.keyboard.press("Enter")
    expect(page.get_by_text("What is searched").first).to_be_visible()
    return page


@pytest.mark.parametrize("path", ADMIN_PAGES)
def test_page_of_the_admin_breaks_no_policy(signed_in: Page, path: str) -> None:
    answer = signed_in.goto(path)
    assert answer
    assert 200 == answer.status


def test_import_takes_good_rows_and_tells_the_others(signed_in: Page, tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text(ROWS)
    signed_in.goto("/admin/search/document/import/")
    signed_in.get_by_label("File to import").set_input_files(path)
    signed_in.get_by_label("Format").select_option(label="csv")
    signed_in.get_by_role("button", name="Submit").click()
    expect(signed_in.get_by_text("Line 3 is left out: has no title.")).to_be_visible()
    expect(
        signed_in.get_by_text(re.compile("Line 4 is left out: url: .*javascript"))
    ).to_be_visible()
    expect(
        signed_in.get_by_text(re.compile("Line 5 is left out: date: 'yesterday'"))
    ).to_be_visible()
    signed_in.get_by_role("button", name="Confirm import").click()
    expect(signed_in.get_by_text(re.compile("2 new"))).to_be_visible()
    signed_in.goto("/search?q=bicycle&source=shop")
    expect(signed_in.locator(".hits li")).to_have_count(2)


def test_synonym_is_found_by_the_next_search(signed_in: Page) -> None:
    signed_in.goto("/search?q=pushbroom")
    expect(signed_in.locator(".count")).to_contain_text("Nothing was found")
    signed_in.goto("/admin/search/synonym/add/")
    signed_in.get_by_label("Term").fill("pushbroom")
    signed_in.get_by_label("Equivalents").fill("semaphore")
    signed_in.get_by_role("button", name="Save", exact=True).click()
    signed_in.goto("/search?q=pushbroom")
    expect(signed_in.locator(".hits li").first).to_be_visible()


def test_edit_is_found_by_the_next_search(signed_in: Page) -> None:
    signed_in.goto("/admin/search/document/1/change/")
    signed_in.get_by_label("Title").fill("Quasiperiodic crystals")
    signed_in.get_by_role("button", name="Save", exact=True).click()
    signed_in.goto("/search?q=quasiperiodic")
    expect(signed_in.locator(".hits h2")).to_have_text("Quasiperiodic crystals")


def test_searches_are_reported_without_who_made_them(signed_in: Page) -> None:
    for _ in range(2):
        signed_in.goto("/search?q=Xyzzyx")
    signed_in.goto("/admin/search/asked/")
    empty = signed_in.get_by_role("table", name="Asked, and nothing found")
    expect(empty.get_by_role("row", name=re.compile("xyzzyx"))).to_be_visible()


def test_whoever_guesses_passwords_has_to_wait(opened: Opened, complaints: list[str]) -> None:
    page = opened("/admin/")
    for _ in range(10):
        if page.get_by_role("heading", name="Wait a while").is_visible():
            break
        page.goto("/admin/")
        page.get_by_label("Username").fill("somebody")
        page.get_by_label("Password").fill("wrong")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    expect(page.get_by_role("heading")).to_have_text("Wait a while")
    complaints.clear()  # that it answered 429
