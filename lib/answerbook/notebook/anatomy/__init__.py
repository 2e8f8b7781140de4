"""The anatomy of a notebook, and what holds every notebook to it.

    python -m answerbook.notebook.anatomy [--question 1] [NAME…]

prints what is wrong with the sources, without running them; the tests call the same rules, and
those of `published` on each NAME.ipynb. tests/notebooks/template/0_0_template.py is a notebook to
copy. Its parts, in order:

- The first cell: one H1; under it the line of cost, `*2 minutes · 0.4 GB · services: RabbitMQ*`
  (minutes and memory are rounded up from what `make notebooks` measures; `none`, or RabbitMQ,
  RabbitMQ × 3, Kafka, Kafka × 3, PostgreSQL).
- `## Answer in a minute`: at most 150 words. `## You will`: three bullets, **do**, **learn**,
  **need**.
- The first code cell: all imports, and nothing else. Where they need packages that `make lab` does
  not install, a cell before it has them installed: `services.fetch(["notify"])`, or
  `services.fetch_packages("site")` where packages are all that is needed.
- The claims, an H2 each: prose, a fold `Predict: …` before the experiment where there is something
  to predict, short cells, and an assertion.
- `## Summary`. `## Follow-ups`: up to eight folds, each a question and an answer that ends in
  `Evidence: <i>a heading of this notebook</i>` or a link. `## Exercises`: see
  `answerbook.notebook.exercises`. `## Next, and further reading`.
- The last cell: `environment("pika", rabbitmq)`.

The numbers (words, lines, columns, cells) are the constants of `prose` and `code`.
"""

from collections.abc import Iterator

from answerbook.notebook.anatomy import code, prose
from answerbook.notebook.source import Source


def complaints(source: Source) -> Iterator[str]:
    """What in the source is not as every notebook is, a sentence each."""
    notebook = source.notebook()
    yield from prose.complaints(source, notebook)
    yield from code.complaints(source, notebook)
