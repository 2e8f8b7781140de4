"""A browser before the site as it is served: nginx, uWSGI, PostgreSQL, the default corpus.

Every page's console is listened to: what a content security policy has stopped, a script's error or
a missing file fails the test that caused it.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from answerbook import services
from answerbook.config import Settings
from answerbook.services import Site
from tests.browser.chromium import chromium
from tests.services.conftest import UNLIMITED, native_services, state_folder

Opened = Callable[..., Page]
LISTENER = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`securitypolicyviolation: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """In a state folder of its own, without a limit for one address."""
    programs = Settings.load().programs_folder
    with (
        state_folder() as folder,
        native_services(folder, programs),
        pytest.MonkeyPatch.context() as patch,
    ):
        for name, value in UNLIMITED.items():
            patch.setenv(name, value)
        yield services.require("site")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For a module: while it is open, Playwright's event loop keeps other tests from having one."""
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said; a test that provokes an error empties it."""
    return []


@pytest.fixture
def opened(browser: Browser, site: Site, complaints: list[str]) -> Iterator[Opened]:
    """`opened(path, **context)` → the page, in a context of its own."""
    contexts: list[BrowserContext] = []

    def listen(page: Page) -> None:
        page.on(
            "console",
            lambda message: (
                complaints.append(f"{page.url}: {message.text}")
                if message.type == "error"
                else None
            ),
        )
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))

    def open_page(path: str, **options: object) -> Page:
        context = browser.new_context(base_url=site.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        if options.get("java_script_enabled", True):
            context.add_init_script(LISTENER)
        contexts.append(context)
        page = context.new_page()
        listen(page)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [] == complaints


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where screenshots go: SITE_PICTURES, to be looked at, or a folder that is thrown away."""
    folder = Path(os.environ.get("SITE_PICTURES") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
