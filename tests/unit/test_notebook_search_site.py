"""What notebook 5.3 shows of the site, with no site running."""

import ast
from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from answerbook.notebook.browser import chromium, picture
from answerbook.notebook.search_site import link, source
from answerbook.services.site import root


@pytest.fixture(autouse=True)
def shell() -> Iterator[None]:
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()


def test_code_is_shown_as_it_stands_in_the_site() -> None:
    with capture_output() as captured:
        source("search/views.py", "results", "found")
    code, caption = captured.outputs
    text = code.data["text/plain"]
    assert text.startswith("@require_safe\ndef results(")
    assert ["results", "found"] == [each.name for each in functions(text)]
    for part in text.split("\n\n\n"):
        assert part in (root() / "search" / "views.py").read_text()
    assert '<span style="' in code.data["text/html"]
    assert "From site/search/views.py: results, found." == caption.data["text/plain"]


def test_method_is_shown_without_its_class() -> None:
    with capture_output() as captured:
        source("search/manager.py", "DocumentQuerySet.search")
    (method,) = functions(captured.outputs[0].data["text/plain"])
    assert "search" == method.name


def functions(text: str) -> list[ast.FunctionDef]:
    return [each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef)]


@pytest.mark.parametrize("name", ["nothing", "DocumentQuerySet.nothing"])
def test_name_that_is_not_there_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match=f"no {name} in site/search/manager.py"):
        source("search/manager.py", name)


def test_link_is_one_also_where_its_address_has_an_ampersand() -> None:
    with capture_output() as captured:
        link("http://127.0.0.1:1/search?q=a&page=2", "Open it")
    assert (
        'href="http://127.0.0.1:1/search?q=a&amp;page=2"' in captured.outputs[0].data["text/html"]
    )


def test_without_a_browser_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert chromium() is None
    with capture_output(stdout=False) as captured:
        picture("http://127.0.0.1:1/", "A page.")
    assert [] == captured.outputs
    (line,) = capsys.readouterr().out.splitlines()
    assert "playwright" in line
    assert "chromium" in line
