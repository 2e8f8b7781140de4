"""Exercises of the template notebook, tests/notebooks/template/0_0_template.py: one to copy."""

from answerbook.notebook.exercises import Exercise


def _smallest(answer: object) -> str | None:
    if answer == 15:
        return "It has to be rounded up: half a guess is a guess."
    return (
        None if answer == 16 else "Each guess halves what is left; count how often 50,000 halves."
    )


guesses = Exercise(
    solution=16,
    wrong=(15, 50_000, "sixteen"),
    test=_smallest,
    because="2 to the 15th is 32,768 and too few; 2 to the 16th is 65,536.",
)
