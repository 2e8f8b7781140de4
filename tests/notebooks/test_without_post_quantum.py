"""Notebook 3.5 on a build of `cryptography` without ML-KEM and ML-DSA: it says so, and runs."""

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from answerbook.notebook.kernel import run_notebook
from answerbook.notebook.source import Source, code_cells, notebooks_folder

NAME = "3_5_signatures_and_exchange"

BUILDS = {
    "no module for them": """
import sys
for name in ("mlkem", "mldsa"):
    sys.modules[f"cryptography.hazmat.primitives.asymmetric.{name}"] = None
""",
    "built without them": """
from cryptography.hazmat.backends.openssl.backend import backend
backend.mlkem_supported = backend.mldsa_supported = lambda: False
""",
}
"""What makes this build one without: nothing of it is left when the kernel has ended."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("why", BUILDS)
def test_notebook_says_in_a_line_what_is_missing_and_runs_to_its_end(why: str) -> None:
    source = Source(notebooks_folder() / f"{NAME}.py")
    notebook = source.notebook()
    notebook.cells.insert(0, new_code_cell(BUILDS[why].strip()))  # type: ignore[no-untyped-call]

    run = run_notebook(notebook, f"{NAME}_without")

    if run.failure is not None:
        pytest.fail(f"{run.failure.source}\n\n{run.failure.error}", pytrace=False)
    assert run.assertions > 20
    told = [text for cell in code_cells(notebook) if "No ML-KEM-768" in (text := printed(cell))]
    assert len(told) == 1
    assert why in told[0]
    shown = "".join(printed(cell) for cell in code_cells(notebook))
    assert "Ed25519" in shown
    assert "X25519 + ML-KEM-768" not in shown


def printed(cell: NotebookNode) -> str:
    """All that a cell shows, as plain text."""
    parts = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    ]
    return "".join(parts)
