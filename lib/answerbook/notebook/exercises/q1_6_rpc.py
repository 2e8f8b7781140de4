"""Exercises of notebook 1_6_rpc."""

import requests

from answerbook.notebook.exercises import Exercise

SECONDS = 10


def _message(answer: object) -> str | None:
    if answer == 10:
        return None
    if answer == 6:
        return "That is the text alone: each field also has a tag and a length."
    if answer == 8:
        return "A tag says which field follows; how long its text is needs a byte more."
    return "Two fields: add up tag, length and text of each."


message = Exercise(
    solution=10,
    wrong=(6, 8, 24, "ten"),
    test=_message,
    because="Names are not sent: two tags, two lengths and six letters.",
)


def _two_rates(answer: str, desk: str) -> str | None:
    response = requests.post(f"{desk}/graphql", json={"query": answer}, timeout=SECONDS)
    content = response.json()
    if "errors" in content:
        return f"The server says: {content['errors'][0]['message']}"
    expected = {"usd": {"rate": "1.0850"}, "jpy": {"rate": "163.20"}}
    if content["data"] == expected:
        return None
    return f"It gives {content['data']}, and {expected} was asked for."


def _quotes(usd: str, jpy: str, fields: str) -> str:
    return (
        f'{{ {usd} quote(base: "EUR", counter: "USD") {{ {fields} }}'
        f' {jpy} quote(base: "EUR", counter: "JPY") {{ {fields} }} }}'
    )


two_rates = Exercise(
    solution=_quotes("usd:", "jpy:", "rate"),
    wrong=(
        _quotes("", "", "rate"),
        _quotes("jpy:", "usd:", "rate"),
        _quotes("usd:", "jpy:", "counter rate"),
        '{ usd: quote(base: "EUR", counter: "USD") { rate } }',
        "SELECT rate FROM quotes",
        42,
    ),
    test=_two_rates,
    because="Aliases let one field come twice, each under a name of its own.",
)
