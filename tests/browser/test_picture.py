"""A page as a picture in a cell."""

from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from urllib.parse import quote

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

from answerbook.notebook.browser import picture
from answerbook.services import Site
from tests.browser.chromium import chromium

RED = f"data:text/html,{quote('<body style=background:#ff0000>')}"


@pytest.fixture(autouse=True)
def shell() -> Iterator[None]:
    chromium()  # installs it where there is none
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()


def test_picture_is_what_the_browser_shows_with_its_description() -> None:
    with capture_output() as captured:
        picture(RED, "All of it is red.", width=300, height=200)
    shown, caption = captured.outputs
    image = Image.open(BytesIO(b64decode(shown.data["image/png"])))
    assert (300, 200) == image.size
    assert (255, 0, 0) == image.convert("RGB").getpixel((150, 100))
    assert "All of it is red." == shown.metadata["image/png"]["alt"]
    assert "All of it is red." in caption.data["text/html"]


def test_page_of_results_takes_little_room(site: Site) -> None:
    with capture_output() as captured:
        picture(f"{site.url}/search?q=kafka", "Results.")
    assert len(captured.outputs[0].data["image/png"]) < 80_000
