"""One request to a program of ours, to see whether it answers: what readiness is made of."""

from contextlib import closing
from http.client import HTTPConnection

SECONDS = 5.0


def get(host: str, port: int, path: str) -> str:
    """What comes at `path`. Raises ConnectionError unless it is a 200, and what connecting does."""
    with closing(HTTPConnection(host, port, timeout=SECONDS)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
    if answer.status != 200:
        raise ConnectionError(f"{path} answered {answer.status}: {said[:500].strip()}")
    return said
