"""The site's pages in a real browser: by keyboard, without JavaScript, dark, narrow, with axe."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from answerbook.services import Site
from answerbook.services.native import processes
from tests.browser.conftest import Opened

NOTHING_FOUND = "/search?q=zzyzx"
PAGES = ("/", "/search?q=file", NOTHING_FOUND, "/search?q=%22", "/document/1", "/nowhere")
RESULTS = re.compile(r"/search\?")


def box(page: Page) -> object:
    return page.get_by_role("combobox")


def titles(page: Page) -> list[str]:
    return page.locator(".hits h2").all_inner_texts()


def axe(page: Page) -> None:
    found = Axe().run(
        page,
        options={
            "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        },
    )
    assert 0 == found.violations_count, found.generate_report()


def test_somebody_searches_with_the_keyboard_alone(opened: Opened) -> None:
    page = opened("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("socke")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    chosen = page.get_by_role("option", selected=True)
    expect(chosen).to_have_count(1)
    assert chosen.inner_text() == page.get_by_role("combobox").input_value()
    page.keyboard.press("Escape")
    assert "socke" == page.get_by_role("combobox").input_value()
    page.keyboard.type("t")
    expect(page.get_by_role("option", name="sockets", exact=True)).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(RESULTS)
    expect(page.locator(".hits li")).to_have_count(10)


def test_results_are_narrowed_turned_over_and_gone_back_to_in_place(opened: Opened) -> None:
    page = opened("/search?q=file")
    page.evaluate("window.sameDocument = true")
    first = titles(page)
    page.get_by_role("link", name="function", exact=True).click()
    page.wait_for_url(re.compile("kind=function"))
    expect(page.get_by_role("link", name="Without function")).to_be_visible()
    narrowed = titles(page)
    assert narrowed != first
    page.get_by_role("link", name="Next →").click()
    page.wait_for_url(re.compile("page=2"))
    expect(page.locator(".count")).to_contain_text("page 2")
    expect(page.locator("#said")).to_contain_text("page 2")  # a screen reader hears of it
    expect(page).to_have_title(re.compile("page 2"))
    expect(page.locator("h1")).to_be_focused()
    assert not set(titles(page)) & set(narrowed)
    assert page.evaluate("window.sameDocument"), "no page was loaded anew"
    page.go_back()
    page.wait_for_url(lambda url: "page=2" not in url)
    expect(page.locator(".hits h2").first).to_have_text(narrowed[0])
    page.go_back()
    page.wait_for_url(lambda url: "kind=" not in url)
    expect(page.locator(".hits h2").first).to_have_text(first[0])


def test_box_keeps_filters_and_can_be_reached_by_a_slash(opened: Opened) -> None:
    page = opened("/search?q=file&kind=method")
    page.locator("h1").focus()
    page.keyboard.press("/")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.get_by_role("combobox").fill("socket")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"q=socket.*kind=method|kind=method.*q=socket"))
    expect(page.locator(".hits li").first).to_be_visible()
    page.get_by_role("combobox").press("End")
    page.keyboard.type("s")
    expect(page.get_by_role("option").first).to_be_visible()


def test_all_of_it_works_without_javascript(opened: Opened) -> None:
    page = opened("/", java_script_enabled=False)
    page.locator("#q").fill("file")
    page.locator("#q").press("Enter")
    page.wait_for_url(RESULTS)
    page.get_by_role("link", name="function", exact=True).click()
    page.wait_for_url(re.compile("kind=function"))
    page.get_by_role("link", name="Next →").click()
    page.wait_for_url(re.compile("page=2"))
    assert 10 == len(titles(page))


def test_query_is_spelt_better_by_one_click(opened: Opened) -> None:
    page = opened("/search?q=conection")
    better = page.get_by_role("link", name="connection", exact=True)
    better.click()
    page.wait_for_url(re.compile("q=connection"))
    expect(page.locator(".hits li").first).to_be_visible()


def test_document_without_a_public_address_has_a_page(opened: Opened) -> None:
    page = opened("/search?q=quorum+queue&source=answerbook")
    page.locator(".hits h2 a").first.click()
    page.wait_for_url(re.compile(r"/document/\d+"))
    expect(page.locator("h1")).not_to_be_empty()
    assert len(page.locator(".text").inner_text()) > 100


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(
    opened: Opened, path: str, scheme: str, complaints: list[str], pictures: Path
) -> None:
    page = opened(path, color_scheme=scheme)
    axe(page)
    page.screenshot(path=pictures / f"{quote(path, safe='')}-{scheme}.png", full_page=True)
    if path == "/nowhere":
        complaints.clear()  # that it answered 404


@pytest.mark.parametrize("path", PAGES)
def test_narrow_page_does_not_scroll_sideways(
    opened: Opened, path: str, complaints: list[str], pictures: Path
) -> None:
    page = opened(path, viewport={"width": 320, "height": 640}, color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.screenshot(path=pictures / f"{quote(path, safe='')}-320.png", full_page=True)
    if path == "/nowhere":
        complaints.clear()


def test_click_while_the_site_starts_shows_what_nginx_says(
    opened: Opened, site: Site, complaints: list[str]
) -> None:
    page = opened("/search?q=kafka")
    uwsgi = [each for each in site.record().processes if each.role == "uwsgi"]
    processes.kill([found for each in uwsgi if (found := processes.alive(each))])
    try:
        page.get_by_role("link", name="Next →").click()
        expect(page.locator("body")).to_contain_text("starting or very busy")
        assert "page=2" in page.url
    finally:
        site.start()
    page.reload()
    expect(page.locator(".count")).to_contain_text("page 2")
    assert all("503" in complaint for complaint in complaints)
    complaints.clear()


def test_search_that_takes_too_long_is_a_plain_page(
    opened: Opened, site: Site, complaints: list[str]
) -> None:
    """A lock stands in for a search of a minute: the limit does not ask what it waits for."""
    import psycopg

    page = opened("/search?q=file")
    with psycopg.connect(str(site.variables()["DATABASE_URL"])) as connection:
        connection.execute("LOCK TABLE search_document IN ACCESS EXCLUSIVE MODE")
        page.get_by_role("link", name="Next →").click()
        expect(page.locator("h1")).to_have_text("Too broad")
    axe(page)
    assert all("503" in complaint for complaint in complaints)
    complaints.clear()
