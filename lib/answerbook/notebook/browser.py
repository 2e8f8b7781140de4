"""A page as a browser shows it, as a picture in a cell: `picture(url, alt="…")`.

It takes Chromium and Playwright, which not every machine has; without them one line says what to
install, and the notebook goes on. For 5_3_search_site; the browser tests look for Chromium here.
"""

from __future__ import annotations

import os
import shutil
from base64 import b64encode
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from answerbook.notebook.rich_output import show_bundle, show_caption

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
WIDTH, HEIGHT = 1000, 640
COLOURS = 64
MISSING = (
    "No picture here: it takes Playwright (`pip install playwright`) and Chromium (the package "
    "chromium). Follow the link instead."
)


def chromium() -> Path | None:
    """Of this machine, where it has one."""
    paths = (shutil.which(name) for name in NAMES)
    return next((Path(path) for path in paths if path), None)


def picture(
    url: str,
    alt: str,
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    cookies: Mapping[str, str] | None = None,
) -> None:
    """Show the top of the page at `url` with `alt` under it, where there is a browser.

    `cookies` go along, as those of somebody who has signed in.
    """
    path = chromium()
    if path is None or find_spec("playwright") is None:
        print(MISSING)
        return
    kept = [{"name": name, "value": value, "url": url} for name, value in (cookies or {}).items()]
    # Playwright refuses to wait in a thread with an event loop, which a kernel's main one has.
    with ThreadPoolExecutor(1) as pool:
        png = pool.submit(_screenshot, path, url, (width, height), kept).result()
    show_bundle(
        {"image/png": b64encode(_smaller(png)).decode(), "text/plain": alt},
        {"image/png": {"alt": alt}},
        "figure",
    )
    show_caption(alt)


def _smaller(png: bytes) -> bytes:
    """With few colours, which a page with no photographs on it has anyway: a third of the size."""
    from PIL import Image

    file = BytesIO()
    Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS).save(file, "png", optimize=True)
    return file.getvalue()


def _screenshot(
    path: Path, url: str, size: tuple[int, int], cookies: Sequence[Mapping[str, str]]
) -> bytes:
    from playwright.sync_api import sync_playwright

    # Chromium's sandbox does not work for root; the page is our own.
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        try:
            page = browser.new_page(viewport={"width": size[0], "height": size[1]})
            page.context.add_cookies(list(cookies))  # type: ignore[arg-type]
            page.goto(url)
            return page.screenshot(animations="disabled", caret="hide")
        finally:
            browser.close()
