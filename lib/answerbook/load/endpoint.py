"""How a sender speaks to the ingest API: the path, and what a request carries beside its body."""

from typing import Final

PATH: Final = "/v1/events"
RUN: Final = "X-Run-Id"


def headers(key: str, run_id: str) -> dict[str, str]:
    """Of a request with one event, or an array of them, as JSON; all belong to one run."""
    return {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        RUN: run_id,
    }


def key_id(key: str) -> str:
    """The id in a key, `ab_<key id>_<secret>`. Raises ValueError for what is no key.

    In the whole system an event is called `<key id>/<the caller's id>`; answers have the latter.
    """
    prefix, *parts = key.split("_", 2)
    if prefix != "ab" or len(parts) != 2 or not all(parts):
        raise ValueError("An API key looks like ab_<key id>_<secret>: `answerbook notify key`.")
    return parts[0]
