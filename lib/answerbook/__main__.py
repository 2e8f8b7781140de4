"""`python -m answerbook`: the same as the `answerbook` command."""

from answerbook.cli import main

main()
