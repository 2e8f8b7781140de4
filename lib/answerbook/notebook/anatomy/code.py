"""What a notebook's code cells have to be: short, plain, and with their imports in one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module

from nbformat import NotebookNode

from answerbook.notebook.anatomy.prose import FOLD, sections
from answerbook.notebook.exercises import Exercise
from answerbook.notebook.source import Source, checked_exercise, code_cells, parsed

MOST_CELLS = 40
MOST_COLUMNS = 79
MOST_LINES = 12
USUAL_LINES = 10
USUAL_SHARE = 0.8
MOST_LINES_OF_IMPORTS = 20
MOST_LINES_OF_A_FUNCTION = 8

OPEN_ANSWER = "answer = ..."
FETCH = re.compile(
    r"from answerbook import services\s+services\.(fetch\(\[[^]]*\]\)|fetch_packages\([^)]*\))"
)
"""What may come before the imports, because some of them are of packages that it installs."""


def complaints(source: Source, notebook: NotebookNode) -> Iterator[str]:
    """What is wrong with the code, a sentence each, with the cell's number among code cells."""
    codes = [cell.source for cell in code_cells(notebook)]
    trees: dict[int, ast.Module] = {}
    for number, code in enumerate(codes, start=1):
        try:
            trees[number] = parsed(code)
        except SyntaxError:
            yield f"Code cell {number} is not plain Python (magics and ! are not)."
    imports = 2 if codes and FETCH.fullmatch(codes[0].strip()) else 1
    yield from _cells(codes, imports)
    yield from _imports(trees, imports)
    yield from _functions(trees)
    yield from _forbidden(trees)
    yield from _exercises(source, notebook, codes, "".join(codes[imports - 1 : imports]))
    yield from _last(notebook)


def _cells(codes: list[str], imports: int) -> Iterator[str]:
    if len(codes) > MOST_CELLS:
        yield f"There are at most {MOST_CELLS} code cells, not {len(codes)}."
    lengths = []
    for number, code in enumerate(codes, start=1):
        lines = [line for line in code.splitlines() if line.strip()]
        lengths.append(len(lines))
        most = MOST_LINES_OF_IMPORTS if number == imports else MOST_LINES
        if not 1 <= len(lines) <= most:
            yield f"Code cell {number} has 1 to {most} lines, not {len(lines)}: split it."
        for line in lines:
            if len(line) > MOST_COLUMNS:
                yield f"Code cell {number} has a line of {len(line)} columns; {MOST_COLUMNS} fit."
        if re.search(r"^\s*#.*\n\s*#", code, re.MULTILINE):
            yield f"Code cell {number} has comments of several lines: prose is in Markdown."
    usual = sum(length <= USUAL_LINES for length in lengths)
    if usual < USUAL_SHARE * len(lengths):
        yield f"Four of five code cells have up to {USUAL_LINES} lines; {usual} of {len(codes)} do."


def _imports(trees: dict[int, ast.Module], first: int) -> Iterator[str]:
    for number, tree in trees.items():
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        if number == first and (not imports or len(imports) != len(tree.body)):
            yield "The first code cell is the imports, all of them and nothing else."
        if number > first and imports:
            yield f"Code cell {number} imports something: all imports are in the first code cell."


def _functions(trees: dict[int, ast.Module]) -> Iterator[str]:
    for number, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    yield (
                        f"{node.name} in code cell {number} has {lines} lines: what is longer than "
                        f"{MOST_LINES_OF_A_FUNCTION} moves to lib/ and is tested there."
                    )


def _forbidden(trees: dict[int, ast.Module]) -> Iterator[str]:
    for number, tree in trees.items():
        names = {name for node in ast.walk(tree) for name in _names(node)}
        if "time.sleep" in names:
            yield f"Code cell {number} sleeps: wait for a condition (`wait_for`)."
        if any(name == "locust" or name.startswith("locust.") for name in names):
            yield f"Code cell {number} imports locust, which hangs a kernel: run it as a program."


def _names(node: ast.AST) -> Iterator[str]:
    """What a node imports, or the attribute of a module that it takes, with dots."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names):
            yield module
            yield from (f"{module}.{alias.name}" for alias in names)
        case ast.Attribute(value=ast.Name(id=owner), attr=attribute):
            yield f"{owner}.{attribute}"


def _exercises(
    source: Source, notebook: NotebookNode, codes: list[str], imports: str
) -> Iterator[str]:
    module = f"q{source.name}"
    known = _known_exercises(module)
    if known is None:
        yield f"The exercises stand in answerbook/notebook/exercises/{module}.py; it is not there."
        return
    # A long name is imported in parentheses, so that the line fits.
    asked = rf"from answerbook\.notebook\.exercises import (?:\(\s+)?{module} as exercises\b"
    if not re.search(asked, imports):
        yield f"The exercises are imported as `{module} as exercises`."
    checked = []
    for number, code in enumerate(codes, start=1):
        name = checked_exercise(code)
        if name is not None:
            checked.append(name)
            if codes[number - 2].strip() != OPEN_ANSWER:
                yield f"Before the check in code cell {number} comes the cell `{OPEN_ANSWER}`."
    if len(checked) != sum(code.strip() == OPEN_ANSWER for code in codes):
        yield f"A cell `{OPEN_ANSWER}` is followed by `exercises.NAME.check(answer)`."
    if not checked or sorted(checked) != sorted(known):
        yield f"Each exercise of {module} ({sorted(known)}) is checked once, not {checked}."
    text = "".join(s.markdown for s in sections(notebook) if (s.level, s.title) == (2, "Exercises"))
    solutions = [summary for summary, _ in FOLD.findall(text) if summary.strip() == "Solution"]
    if len(solutions) != len(checked):
        yield f"Each of the {len(checked)} exercises has a fold `Solution`, not {len(solutions)}."


def _known_exercises(module: str) -> list[str] | None:
    try:
        found = import_module(f"answerbook.notebook.exercises.{module}")
    except ModuleNotFoundError as error:
        if error.name != f"answerbook.notebook.exercises.{module}":
            raise
        return None
    return [name for name, value in vars(found).items() if isinstance(value, Exercise)]


def _last(notebook: NotebookNode) -> Iterator[str]:
    if not notebook.cells or not re.match(r"environment\(", notebook.cells[-1].source):
        yield "The last cell is `environment(…)`."
