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
