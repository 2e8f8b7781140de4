"""What a failed pip or uv said, as one paragraph: what is missing, and what mends it.

environment.py puts the paragraph before the reader in place of the output.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """Something that goes wrong on readers' machines."""

    said: str
    """A regular expression for what pip or uv prints then, in any case of letters."""
    paragraph: str
    """With `{detail}` where the innermost cause is to stand, in the words of the system."""


def explain(output: str) -> str | None:
    """The paragraph for what went wrong, or None where the output shows nothing that we know."""
    for cause in CAUSES:
        if re.search(cause.said, output, re.IGNORECASE):
            return cause.paragraph.format(detail=_detail(output))
    return None


def _detail(output: str) -> str:
    found = re.findall(
        r"cause: (.+)"  # uv, outermost first
        r"|(\[Errno -?\d+\] [^')]+)"  # pip: an OSError inside a warning
        r"|Failed to build `?([\w.-]+)",
        output,
    )
    return next(words.strip() for words in found[-1] if words) if found else "no cause given"


AGAIN = "then run the same command again"

CAUSES = (
    Cause(
        r"no space left on device",
        "The disk is full: that of this folder, of the package cache (~/.cache/uv) or of temporary "
        "files. Free 1.5 GB, or point UV_CACHE_DIR and TMPDIR at folders on a disk with room, "
        f"{AGAIN}.",
    ),
    Cause(
        r"hash mismatch|do not match the hashes",
        "A package came that is not the pinned one: its hash differs, so it was not installed. "
        "Either its download was damaged, or a proxy or mirror on the way changes packages. Fetch "
        f"it past every cache: `export UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1`, {AGAIN}; if it ends here "
        "once more, use another network or mirror.",
    ),
    Cause(
        r"UnknownIssuer|invalid peer certificate|CERTIFICATE_VERIFY_FAILED",
        "The package index shows a certificate that this machine does not trust ({detail}): "
        "usually it is that of a company's proxy. Name the file with the company's certificates: "
        f"`export PIP_CERT=/path/to/certificates.pem`, {AGAIN}.",
    ),
    Cause(
        r"error sending request|failed to fetch|connection broken|max retries exceeded"
        r"|operation timed out|read timed out|request failed after",
        "The package index cannot be reached ({detail}). Connect this machine to the network, or "
        "name your proxy (`export HTTPS_PROXY=…`) or your own mirror (`export PIP_INDEX_URL=…`), "
        f"{AGAIN}: what has arrived is kept.",
    ),
    Cause(
        r"failed to build|failed building wheel|no usable wheels",
        "One package ({detail}) has no ready-made build for this Python on this machine, and "
        "making one failed. Use a Python between 3.11 and 3.14: `rm -rf .venv && make lab "
        "PYTHON=python3.13`.",
    ),
    Cause(
        r"permission denied|read-only file system",
        "A file cannot be written ({detail}). Run the command as the user who owns this folder "
        "and the package cache (~/.cache/uv), or `export UV_CACHE_DIR=/a/folder/of/yours`, "
        f"{AGAIN}.",
    ),
)
"""The surest sign first."""
