"""What the programs in benchmarks/ measured, for a cell that draws it beside its own figures."""

import json
from typing import Any


def results(name: str) -> dict[str, Any]:
    """The committed results of `make bench BENCH=name`.

    Raises FileNotFoundError outside of the repository, where there are none.
    """
    from answerbook.config import repository  # imports pydantic, which most cells do not need

    root = repository()
    if root is None:
        raise FileNotFoundError(
            "There are no results here: run this notebook in a clone of the repository."
        )
    found: dict[str, Any] = json.loads(
        (root / "benchmarks" / "results" / f"{name}.json").read_text()
    )
    return found
