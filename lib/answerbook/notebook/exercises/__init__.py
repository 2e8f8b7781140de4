"""Exercises that check themselves; here is how a notebook's author adds one.

1. Each notebook has a module here, `q` and its name: q1_3_amqp.py. An exercise is a variable in it:
       redelivered = Exercise(
           solution=7,
           wrong=(10, 3, "seven"),      # what readers really answer; a test tries each
           test=_redelivered,           # (answer) -> a hint, or None when the answer is right
           because="A message leaves the queue when it is acknowledged, not when it is delivered.",
       )
2. The notebook imports `q1_3_amqp as exercises` and has two cells, one after the other: exactly
   `answer = ...`, then `exercises.redelivered.check(answer)`; above them the question and a fold
   (<details><summary>Solution</summary>…) with the solution.
3. A hint helps and does not give the answer away. An answer may be a function: the test calls it.
   What a test wants from the live notebook is passed on: `check(answer, url)` gives it the url.
4. `check` never raises. A test that fails on a strange answer makes that answer wrong.
5. The notebook's test runs it once, live, with the solution and each wrong answer put in.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib import import_module
from typing import Any, Literal

from answerbook.notebook.rich_output import show_html

Verdict = Literal["open", "right", "wrong"]

WORDS: dict[Verdict, str] = {"open": "Open.", "right": "Right.", "wrong": "Not yet."}


@dataclass(frozen=True)
class Exercise:
    """A question whose answer a cell can check."""

    solution: Any
    wrong: Sequence[Any]
    """Answers that a reader may well give; the test must refuse each."""
    test: Callable[..., str | None]
    """Called with the answer and whatever else `check` got; a hint, or None when it is right."""
    because: str
    """What a right answer shows, in a sentence or two."""

    def check(self, answer: object, *live: object) -> None:
        """Show whether `answer` is open, right or wrong. Never raises."""
        verdict, text = self.judge(answer, *live)
        word = WORDS[verdict]
        show_html(
            f"<p><strong>{word}</strong> {escape(text)}</p>",
            f"{word} {text}",
            "exercise",
            verdict=verdict,
        )

    def judge(self, answer: object, *live: object) -> tuple[Verdict, str]:
        """The verdict and what to say about it."""
        if answer is ...:
            return "open", "Put your answer in place of the three dots above, and run both cells."
        try:
            hint = self.test(answer, *live)
        # An answer can be code: SystemExit, too, is only a wrong answer.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            return "wrong", (
                f"The check could not work with an answer of type {type(answer).__name__} "
                f"({type(error).__name__}). Look again at what kind of answer is asked for."
            )
        return ("right", self.because) if hint is None else ("wrong", hint)


def registered() -> Iterator[tuple[str, str, Exercise]]:
    """Every exercise, as (module, name, exercise); the modules are those of this folder."""
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__)):
        for name, value in vars(import_module(f"{__name__}.{module}")).items():
            if isinstance(value, Exercise):
                yield module, name, value
