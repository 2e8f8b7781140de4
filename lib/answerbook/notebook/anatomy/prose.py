"""What a notebook's Markdown has to have: title, cost, sections in their order, folds, length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from nbformat import NotebookNode

from answerbook.notebook.source import Source
from answerbook.services import Name

OPENING = ("Answer in a minute", "You will")
CLOSING = ("Summary", "Follow-ups", "Exercises", "Next, and further reading")

FEWEST_WORDS = 800
FEWEST_WORDS_AT_THE_START = 300
MOST_WORDS = 2_500
MOST_WORDS_IN_A_MINUTE = 150
FEWEST_CLAIMS = 2
MOST_FOLLOW_UPS = 8
MOST_MINUTES = 3
MOST_GIGABYTES = 1.8

COST = re.compile(
    r"^\*(?P<minutes>\d+) minutes? · (?P<gigabytes>\d+\.\d) GB · services: (?P<services>.+)\*$",
    re.MULTILINE,
)
SERVICES: dict[str, Name] = {
    "RabbitMQ": "rabbitmq",
    "RabbitMQ × 3": "rabbitmq-3",
    "Kafka": "kafka",
    "Kafka × 3": "kafka-3",
    "PostgreSQL": "postgres",
    "the notification system": "notify",
    "FCM's emulator": "notify-emulator",
    "a delivery worker": "notify-deliver",
    "the search site": "site",
}
"""How the cost line names a service → how `services.require` does."""
BULLETS = ("- **do**:", "- **learn**:", "- **need**:")

FOLD = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
TAG = re.compile(r"<[^>]+>")
LINK_TARGET = re.compile(r"\]\([^)]*\)")
LOCAL_LINK = re.compile(r"""(?:\]\(|href=["'])([\w./-]+\.ipynb)""")
WORD = re.compile(r"\w[\w’'-]*")


@dataclass
class Section:
    """A heading, and what stands under it before the next of its level or above."""

    level: int
    title: str
    markdown: str = ""
    code: list[str] = field(default_factory=list)
    folds_before_code: list[str] = field(default_factory=list)
    """Summaries of folds that some code cell of this section follows."""


@dataclass(frozen=True)
class Cost:
    """What a notebook says it takes."""

    minutes: int
    gigabytes: float
    services: tuple[str, ...]


def complaints(source: Source, notebook: NotebookNode) -> Iterator[str]:
    """What is wrong with the prose, a sentence each."""
    found = sections(notebook)
    chapters = [section for section in found if section.level == 2]
    yield from _title(notebook, found)
    yield from _cost(notebook)
    yield from _order(found, chapters)
    yield from _answer_in_a_minute(chapters)
    yield from _you_will(chapters)
    yield from _claims(chapters)
    yield from _predictions(notebook, chapters)
    yield from _follow_ups(found, chapters)
    yield from _folds(notebook)
    yield from _links(notebook, source.path.parent)
    yield from _length(source, notebook)


def sections(notebook: NotebookNode) -> list[Section]:
    """Every H1, H2 and H3 in order. A section's text and code include those of its H3s."""
    found: list[Section] = []
    open_sections: list[Section] = []
    pending: list[tuple[Section, str]] = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for section in open_sections:
                section.code.append(cell.source)
            for section, summary in pending:
                section.folds_before_code.append(summary)
            pending = []
            continue
        for heading, text in _split(cell.source):
            if heading:
                level, title = heading
                pending = [(section, summary) for section, summary in pending if level > 2]
                open_sections = [section for section in open_sections if section.level < level]
                open_sections.append(Section(level, title))
                found.append(open_sections[-1])
            for section in open_sections:
                section.markdown += text + "\n"
                pending += [(section, summary) for summary, _ in FOLD.findall(text)]
    return found


def cost(notebook: NotebookNode) -> Cost | None:
    """The cost line, or None where there is none in its form."""
    match = COST.search(notebook.cells[0].source) if notebook.cells else None
    if match is None:
        return None
    services = tuple(name.strip() for name in match["services"].split(","))
    return Cost(int(match["minutes"]), float(match["gigabytes"]), services)


def count_words(markdown: str) -> int:
    """Words that a reader sees: neither tags, nor addresses of links, nor fenced code."""
    text = LINK_TARGET.sub("]", FENCE.sub("", markdown))
    return len(WORD.findall(unescape(TAG.sub(" ", text))))


# -- rules ------------------------------------------------------------------------------------


def _title(notebook: NotebookNode, found: list[Section]) -> Iterator[str]:
    titles = [section.title for section in found if section.level == 1]
    if len(titles) != 1 or not notebook.cells[0].source.startswith("# "):
        yield f"One H1 opens the first cell; there are {len(titles)} H1."


def _cost(notebook: NotebookNode) -> Iterator[str]:
    stated = cost(notebook)
    if stated is None:
        yield (
            "Under the title stands a line such as `*2 minutes · 0.4 GB · services: RabbitMQ*`, "
            "and there is none in this form."
        )
        return
    if not 1 <= stated.minutes <= MOST_MINUTES or stated.gigabytes > MOST_GIGABYTES:
        yield f"The cost is at most {MOST_MINUTES} minutes and {MOST_GIGABYTES} GB: {stated}."
    unknown = set(stated.services) - set(SERVICES)
    if unknown and stated.services != ("none",):
        yield f"Services are `none` or of {sorted(SERVICES)}, not {sorted(unknown)}."


def _order(found: list[Section], chapters: list[Section]) -> Iterator[str]:
    titles = [section.title for section in found]
    twice = sorted({title for title in titles if titles.count(title) > 1})
    if twice:
        yield f"A heading stands for one section; these come twice: {twice}."
    names = [chapter.title for chapter in chapters]
    if tuple(names[: len(OPENING)]) != OPENING:
        yield f"The first H2 are {list(OPENING)}, not {names[: len(OPENING)]}."
    if tuple(names[-len(CLOSING) :]) != CLOSING:
        yield f"The last H2 are {list(CLOSING)}, not {names[-len(CLOSING) :]}."


def _answer_in_a_minute(chapters: list[Section]) -> Iterator[str]:
    words = count_words(_chapter(chapters, "Answer in a minute").markdown)
    if not 0 < words <= MOST_WORDS_IN_A_MINUTE:
        yield f"The answer in a minute has 1 to {MOST_WORDS_IN_A_MINUTE} words, not {words}."


def _you_will(chapters: list[Section]) -> Iterator[str]:
    lines = _chapter(chapters, "You will").markdown.splitlines()
    bullets = [line for line in lines if line.startswith("- ")]
    if len(bullets) != len(BULLETS) or not all(
        bullet.startswith(start) for bullet, start in zip(bullets, BULLETS, strict=False)
    ):
        yield f"`You will` has three bullets, which begin {', '.join(BULLETS)}"


def _claims(chapters: list[Section]) -> Iterator[str]:
    claims = chapters[len(OPENING) : -len(CLOSING)]
    if len(claims) < FEWEST_CLAIMS:
        yield f"There are at least {FEWEST_CLAIMS} claims between the opening and the summary."
    for claim in claims:
        if not any(
            re.search(r"^\s*(assert |with raises\()", code, re.MULTILINE) for code in claim.code
        ):
            yield f"The claim “{claim.title}” has no assertion (or `with raises`) behind it."


def _predictions(notebook: NotebookNode, chapters: list[Section]) -> Iterator[str]:
    predictions = [
        summary.strip()
        for cell in _markdown_cells(notebook)
        for summary, _ in FOLD.findall(cell.source)
        if summary.strip().startswith("Predict:")
    ]
    decided = [fold.strip() for chapter in chapters for fold in chapter.folds_before_code]
    if not predictions:
        yield "At least one fold asks the reader to predict: <summary>Predict: …</summary>."
    for summary in predictions:
        if summary not in decided:
            yield f"“{summary}” stands above the cell that decides it, in the same section."


def _follow_ups(found: list[Section], chapters: list[Section]) -> Iterator[str]:
    text = _chapter(chapters, "Follow-ups").markdown
    folds = FOLD.findall(text)
    if not 1 <= len(folds) <= MOST_FOLLOW_UPS:
        yield f"There are 1 to {MOST_FOLLOW_UPS} follow-ups, not {len(folds)}."
    if FOLD.sub("", text).strip():
        yield "Follow-ups are folds and nothing else."
    headings = {_plain(section.title) for section in found}
    for summary, body in folds:
        question = _plain(summary)
        if not question.endswith("?"):
            yield f"The follow-up “{question}” ends in a question mark."
        evidence = body.partition("Evidence:")[2]
        named = [_plain(title) for title in re.findall(r"<i>(.*?)</i>", evidence, re.DOTALL)]
        if not named and "<a href=" not in evidence:
            yield (
                f"The follow-up “{question}” points at its evidence: `Evidence: <i>a heading "
                'here</i>` or `Evidence: <a href="…">…</a>`.'
            )
        for title in named:
            if title not in headings:
                yield f"The evidence for “{question}” names no heading of this notebook: {title}."


def _folds(notebook: NotebookNode) -> Iterator[str]:
    for cell in _markdown_cells(notebook):
        for summary, body in FOLD.findall(cell.source):
            if re.search(r"`|\*\*|\]\(", summary + body):
                yield (
                    f"The fold “{_plain(summary)}” is written in HTML (<code>, <b>, <a href>): "
                    "not every viewer renders Markdown inside a fold."
                )
        if cell.source.count("<details") != len(FOLD.findall(cell.source)):
            yield "Each fold is <details><summary>…</summary>…</details>, closed in its own cell."


def _links(notebook: NotebookNode, folder: Path) -> Iterator[str]:
    for cell in _markdown_cells(notebook):
        for target in LOCAL_LINK.findall(cell.source):
            path = folder / target
            if not path.exists() and not path.with_suffix(".py").exists():
                yield f"The link to {target} leads nowhere."


def _length(source: Source, notebook: NotebookNode) -> Iterator[str]:
    words = sum(count_words(cell.source) for cell in _markdown_cells(notebook))
    fewest = FEWEST_WORDS_AT_THE_START if source.question == "00" else FEWEST_WORDS
    if not fewest <= words <= MOST_WORDS:
        yield f"The prose has {fewest} to {MOST_WORDS} words, not {words}."


# -- reading ----------------------------------------------------------------------------------


def _markdown_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def _chapter(chapters: list[Section], title: str) -> Section:
    return next((chapter for chapter in chapters if chapter.title == title), Section(2, title))


def _split(markdown: str) -> Iterator[tuple[tuple[int, str] | None, str]]:
    """The text before the first heading, and each heading with its text; code fences are text."""
    heading: tuple[int, str] | None = None
    lines: list[str] = []
    fenced = False
    for line in markdown.splitlines():
        fenced ^= line.startswith("```")
        match = None if fenced else re.match(r"(#{1,3}) (.*)", line)
        if match is None:
            lines.append(line)
            continue
        yield heading, "\n".join(lines)
        heading, lines = (len(match[1]), match[2].strip()), []
    yield heading, "\n".join(lines)


def _plain(text: str) -> str:
    return " ".join(unescape(TAG.sub("", text)).replace("`", "").split())
