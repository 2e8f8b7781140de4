"""The rules of anatomy find what they are there to find: the template, broken one way at a time."""

from collections.abc import Callable
from pathlib import Path

import pytest

from answerbook.notebook import anatomy
from answerbook.notebook.source import Source

# What to replace in the template, by what, and what the complaint says.
BREAKS = {
    "a second H1": ("# ## Summary", "# # Summary", "2 H1"),
    "a cost without its form": ("· 0.2 GB ·", "· little ·", "Under the title"),
    "a cost over the profile's": ("*1 minute · 0.2 GB", "*9 minutes · 0.2 GB", "The cost is"),
    "an unknown service": ("services: none", "services: MySQL", "MySQL"),
    "a section out of place": ("## Answer in a minute", "## In short", "The first H2"),
    "a section left out": ("# ## Follow-ups\n", "", "The last H2"),
    "an answer of many words": ("# ## You will", f"# {'word ' * 80}\n# ## You will", "150 words"),
    "a bullet left out": ("# - **need**:", "# **need**:", "three bullets"),
    "a claim without an assertion": ("assert 2 * mill", "print(2 * mill", "has no assertion"),
    "no prediction": ("Predict: ", "Ask: ", "to predict"),
    "a heading twice": ("## Halving is faster than a walk", "## Summary", "come twice"),
    "a follow-up that asks nothing": ("worth its cost?", "worth it.", "question mark"),
    "a follow-up without evidence": ("# Evidence: <a", "# See <a", "points at its evidence"),
    "evidence that is not there": ("<i>Halving is", "<i>Falling is", "names no heading"),
    "prose among follow-ups": ("# ## Follow-ups\n", "# ## Follow-ups\n# Also:\n", "nothing else"),
    "Markdown in a fold": ("<code>answer = 16</code>", "`answer = 16`", "written in HTML"),
    "a fold left open": ("apart.\n# </details>", "apart.", "closed in its own cell"),
    "a link to nowhere": ("as a link to its", "[so](9_9_none.ipynb)", "leads nowhere"),
    "a magic": ("as_set = set(words)", "%time as_set = set(words)", "plain Python"),
    "a late import": ("as_set = set(words)", "import os", "imports something"),
    "code among imports": ("import bisect_left", "import bisect_left\n1", "first code cell"),
    "a wide line": ("as_set = set(words)", f"as_set = '{'x' * 80}'", "columns"),
    "a long cell": ("as_set = set(words)", "as_set = set(words)\n" * 12, "split it"),
    "a long function": ("    middle = ", "    low += 0\n" * 4 + "    middle = ", "moves to lib/"),
    "a comment of two lines": ("as_set =", "# One.\n# Two.\nas_set =", "prose is in Markdown"),
    "a sleep": ("as_set = set(words)", "time.sleep(1)", "sleeps"),
    "locust": ("from bisect import bisect_left", "import locust", "hangs a kernel"),
    "an answer that is given": ("answer = ...", "answer = 16", "comes the cell"),
    "an exercise that is not there": ("exercises.guesses", "exercises.gusses", "is checked once"),
    "another notebook's exercises": ("q0_0_template as", "q9_9_other as", "are imported as"),
    "a solution left out": ("<summary>Solution<", "<summary>Hint<", "fold `Solution`"),
    "no closing cell": ('environment("numpy", "matplotlib")', "print()", "last cell"),
}  # fmt: skip


@pytest.mark.parametrize("change", BREAKS.values(), ids=BREAKS)
def test_broken_template_is_complained_of(
    change: tuple[str, str, str], template: Source, tmp_path: Path
) -> None:
    before, after, complaint = change
    text = template.path.read_text()
    assert before in text
    broken = Source(tmp_path / template.path.name)
    broken.path.write_text(text.replace(before, after))

    assert any(complaint in found for found in anatomy.complaints(broken))


@pytest.mark.parametrize("call", ['fetch(["notify"])', 'fetch_packages("site")'])
def test_cell_before_the_imports_may_install_what_they_need(
    call: str, template: Source, tmp_path: Path
) -> None:
    text = template.path.read_text()
    fetching = f"# %%\nfrom answerbook import services\n\nservices.{call}\n\n# %%\n"
    with_it = Source(tmp_path / template.path.name)
    with_it.path.write_text(text.replace("# %%\n", fetching, 1))
    assert [] == list(anatomy.complaints(with_it))
    with_it.path.write_text(text.replace("# %%\n", fetching.replace("fetch", "require"), 1))
    assert any("first code cell" in found for found in anatomy.complaints(with_it))


@pytest.mark.parametrize(("words", "fits"), [(0, False), (900, True), (3_000, False)])
def test_length_of_the_prose_has_a_least_and_a_most(
    words: int, fits: bool, written: Callable[..., Source]
) -> None:
    source = written(f"# %% [markdown]\n# {'word ' * words}")

    found = any("The prose has" in complaint for complaint in anatomy.complaints(source))
    assert (not fits) == found


def test_exercises_of_a_long_name_may_be_imported_in_parentheses(
    template: Source, tmp_path: Path
) -> None:
    text = template.path.read_text()
    imported = "import q0_0_template as exercises"
    assert imported in text
    wrapped = Source(tmp_path / template.path.name)
    wrapped.path.write_text(text.replace(imported, "import (\n    q0_0_template as exercises,\n)"))
    complaints = list(anatomy.complaints(wrapped))
    assert not [found for found in complaints if "exercises" in found]


def test_notebook_without_exercises_of_its_own_is_told_where_they_go(
    template: Source, tmp_path: Path
) -> None:
    copy = Source(tmp_path / "9_9_copy.py")
    copy.path.write_text(template.path.read_text())

    assert any("exercises/q9_9_copy.py" in found for found in anatomy.complaints(copy))
