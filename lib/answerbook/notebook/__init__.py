"""What a notebook's cells use: figures, tables, waiting, exercises and the closing cell.

    from answerbook.notebook import environment, figure, show, table

Here are only the things that would distract from a lesson. The rest of the package works on
notebooks from outside: `run` runs them live, `publish` writes them with their outputs, `anatomy`
holds them to their form, `work` lays out copies for a reader to scribble in. How an exercise is
added stands in `answerbook.notebook.exercises`; how a notebook is laid out, in `anatomy`.

Importing this is cheap: matplotlib and IPython come in with the first call that needs them.
"""

from answerbook.notebook.benchmarks import results
from answerbook.notebook.environment import environment
from answerbook.notebook.figures import bars, figure, lines, show, use_style
from answerbook.notebook.raising import raises
from answerbook.notebook.tables import table
from answerbook.notebook.waiting import median_seconds, progress, stopwatch, wait_for

__all__ = [
    "bars",
    "environment",
    "figure",
    "lines",
    "median_seconds",
    "progress",
    "raises",
    "results",
    "show",
    "stopwatch",
    "table",
    "use_style",
    "wait_for",
]
