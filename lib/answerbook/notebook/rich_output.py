"""The one way in which the helpers show something in a cell: HTML with plain text beside it.

Every output says in its metadata what it is (`answerbook.role`), so that the checks of a published
notebook can find captions, tables and the verdicts of exercises without reading HTML.
"""

from html import escape
from typing import Literal

Role = Literal["figure", "caption", "table", "exercise", "code", "link"]


def show_html(html: str, plain: str, role: Role, **details: str) -> None:
    """Display `html`, and `plain` where HTML is not shown; `details` go into the metadata."""
    show_bundle({"text/html": html, "text/plain": plain}, {}, role, **details)


def show_caption(text: str) -> None:
    """A visible line under what was shown just before."""
    show_html(f"<p><em>{escape(text)}</em></p>", text, "caption")


def show_bundle(
    data: dict[str, str], metadata: dict[str, dict[str, str]], role: Role, **details: str
) -> None:
    """Display one thing in several formats; `metadata` is by format, as Jupyter has it."""
    # IPython takes a moment to import and is not needed before something is shown.
    from IPython.display import display

    display(  # type: ignore[no-untyped-call]
        data, metadata={**metadata, "answerbook": {"role": role, **details}}, raw=True
    )
