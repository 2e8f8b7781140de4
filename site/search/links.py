"""Which addresses a document may have: those that a click may open.

An import and the admin hold a document's `url` to it.
"""

import re

from django.core.exceptions import ValidationError

# Nothing that runs in the page, such as `javascript:`, and no other site by two slashes.
_LINK = re.compile(r"(https?://|/(?!/))\S*\Z")


def is_link(text: str) -> bool:
    return _LINK.match(text) is not None


def validate_link(text: str) -> None:
    """Raises ValidationError."""
    if not is_link(text):
        raise ValidationError(f"{text[:80]!r} is neither http(s)://… nor /…")
