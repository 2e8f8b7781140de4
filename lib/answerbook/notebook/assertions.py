"""Counts, inside a kernel, the assertions of cells that passed.

`run` has a kernel call `install` before a notebook's first cell and read `passed` after the last.
Only `assert` statements in cells count, each time that one is executed, not those of libraries.
"""

import ast
import builtins

COUNTER = "__answerbook_assertion_passed__"

# Code of a cell may be sent to another process (to Spark, say), where there is no counter.
_CALL = f"__import__('builtins').__dict__.get({COUNTER!r}, lambda: None)()"


class _CountPassed(ast.NodeTransformer):
    """Puts a call to the counter behind each `assert`: it is reached when the assertion held."""

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        counted = ast.parse(_CALL).body[0]
        for part in ast.walk(counted):
            ast.copy_location(part, node)
        return [node, counted]


class _Counter:
    def __init__(self) -> None:
        self.passed = 0

    def __call__(self) -> None:
        self.passed += 1


def install() -> None:
    """Count from now on, in the IPython shell of this process."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise RuntimeError("Assertions are counted in a kernel, and this process is none.")
    setattr(builtins, COUNTER, _Counter())
    shell.ast_transformers.append(_CountPassed())


def passed() -> int:
    """How many assertions have passed since `install`."""
    counter: _Counter = getattr(builtins, COUNTER)
    return counter.passed
