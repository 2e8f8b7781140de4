"""What people type, read as a search engine reads it, and never refused.

    words            all of them
    "two words"      one after the other
    -word            without it, -"two words" too
    one or two       either; `or` binds less than what stands side by side
    prefix*          any word that begins so

`parse` knows the typed text alone. `Parsed.analyse` asks PostgreSQL what the words are to the
index, once, and gives queries that a plan can be made for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import connection

from search.lexemes import CONFIG

MOST_CHARACTERS = 200
MOST_TERMS = 16
_TOKEN = re.compile(r'(-?)"([^"]*)(?:"|$)|(\S+)')
_PIECE = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Term:
    """A word, a phrase or a prefix."""

    typed: str
    pieces: tuple[str, ...]
    """Its words; several of them have to follow one another."""
    negated: bool = False
    prefix: bool = False
    quoted: bool = False
    apart: bool = False
    """Its words may stand anywhere, in spite of what `pieces` says."""
    equivalents: tuple[tuple[str, ...], ...] = ()
    """Synonyms, each as pieces."""

    def sql(self) -> tuple[str, list[str]]:
        """A tsquery and its parameters."""
        if self.prefix:
            texts, parameters = _prefix(self.pieces)
        else:
            texts = [f"{'plain' if self.apart else 'phrase'}to_tsquery('{CONFIG}', %s)"]
            parameters = [" ".join(self.pieces)]
        for pieces in self.equivalents:
            texts.append(f"phraseto_tsquery('{CONFIG}', %s)")
            parameters.append(" ".join(pieces))
        return " || ".join(texts), parameters


@dataclass(frozen=True)
class Analysis:
    """What a typed text is to the index. All queries are text, for `%s::tsquery`."""

    all_words: str = ""
    any_word: str = ""
    """The same with any of its words; nothing where that makes no difference."""
    lexemes: tuple[str, ...] = ()
    """That a document is ranked by, as the index has them; prefixes are not among them."""
    prefixes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    """What was typed and the index leaves out."""

    def __bool__(self) -> bool:
        return bool(self.all_words)

    @property
    def is_one_lexeme(self) -> bool:
        """Whether all that has to match is one word: no other, no beginning, none excluded."""
        return len(self.lexemes) == 1 and self.all_words == f"'{self.lexemes[0]}'"


@dataclass(frozen=True)
class Parsed:
    """Alternatives, of which one has to match; in each, terms that all have to."""

    text: str
    """As typed, cut, without what no database takes."""
    alternatives: tuple[tuple[Term, ...], ...]

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for terms in self.alternatives for term in terms)

    @property
    def words(self) -> tuple[str, ...]:
        """What is looked for, word by word, for a spelling to be better than."""
        wanted = (term for term in self.terms if not term.negated and not term.prefix)
        return tuple(piece.lower() for term in wanted for piece in term.pieces)

    def with_synonyms(self, synonyms: Mapping[str, Sequence[str]]) -> "Parsed":
        """Each term that is a key, also as any of its values."""
        return Parsed(
            self.text,
            tuple(tuple(_widened(terms, synonyms)) for terms in self.alternatives),
        )

    def analyse(self) -> Analysis:
        """One question to PostgreSQL; an empty result where nothing is left to look for."""
        if not self.terms:
            return Analysis()
        columns, parameters = [], []
        for term in self.terms:
            text, values = term.sql()
            columns.append(f"({text})")
            parameters += values
        names = [f"q{number}" for number in range(len(columns))]
        query_of = dict(zip(self.terms, names, strict=False))
        ranked = [piece for term in self.terms if not term.negated for piece in _ranked(term)]
        starts = [term.pieces[-1] for term in self.terms if term.prefix and not term.negated]
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT ({self._all(query_of)})::text, ({self._any(query_of)})::text,"
                f" tsvector_to_array(to_tsvector('{CONFIG}', %s)),"
                " ARRAY(SELECT (ts_lexize('simple', word))[1] FROM unnest(%s::text[]) word),"
                f" ARRAY[{', '.join(f'numnode({name})' for name in names)}]"
                f" FROM (SELECT {', '.join(columns)}) AS typed ({', '.join(names)})",
                [" ".join(ranked), starts, *parameters],
            )
            row = cursor.fetchone()
        assert row is not None
        every, some, lexemes, prefixes, nodes = row
        if not lexemes and not prefixes:
            every = some = ""
        return Analysis(
            every,
            some if some != every else "",
            tuple(lexemes),
            tuple(prefixes),
            tuple(term.typed for term, count in zip(self.terms, nodes, strict=True) if not count),
        )

    def _all(self, query_of: Mapping[Term, str]) -> str:
        alternatives = [
            " && ".join(f"!!{query_of[term]}" if term.negated else query_of[term] for term in terms)
            for terms in self.alternatives
        ]
        return " || ".join(f"({each})" for each in alternatives)

    def _any(self, query_of: Mapping[Term, str]) -> str:
        wanted = [query_of[term] for term in self.terms if not term.negated]
        unwanted = [f" && !!{query_of[term]}" for term in self.terms if term.negated]
        return f"({' || '.join(wanted)}){''.join(unwanted)}"


def parse(text: str) -> Parsed:
    """What was typed; the first MOST_CHARACTERS of it, and the first MOST_TERMS terms."""
    # Neither NUL nor half of a character that needs two can go to PostgreSQL.
    text = text.encode("utf-8", "ignore").decode().replace("\x00", " ")[:MOST_CHARACTERS]
    alternatives: list[list[Term]] = [[]]
    for match in list(_TOKEN.finditer(text)):
        minus, phrase, word = match.groups()
        if word and word.lower() == "or":
            alternatives.append([])
            continue
        term = _quoted(match[0], phrase, minus) if word is None else _word(word)
        if term.pieces:
            alternatives[-1].append(term)
        if sum(map(len, alternatives)) == MOST_TERMS:
            break
    # What only excludes would be all the rest, and nobody looks for that.
    kept = [terms for terms in alternatives if not all(term.negated for term in terms)]
    return Parsed(" ".join(text.split()), tuple(map(tuple, kept)))


def pieces_of(text: str) -> tuple[str, ...]:
    """The words of a text, as this module parts them."""
    return tuple(_PIECE.findall(text))


def _quoted(typed: str, phrase: str, minus: str) -> Term:
    return Term(typed, pieces_of(phrase), negated=bool(minus), quoted=True)


def _word(word: str) -> Term:
    negated = word.startswith("-") and len(word) > 1
    prefix = word.endswith("*")
    return Term(word, pieces_of(word), negated=negated, prefix=prefix)


def _prefix(pieces: Sequence[str]) -> tuple[list[str], list[str]]:
    """Beginnings of lexemes as typed, and as the index has them.

    So "the*" is no stop word, and "sockets*" finds what was cut to "socket".
    """
    # Pieces are letters and digits: nothing in them means anything to to_tsquery.
    first = f"phraseto_tsquery('{CONFIG}', %s) <-> " if len(pieces) > 1 else ""
    before = [" ".join(pieces[:-1])] if len(pieces) > 1 else []
    last = [f"{pieces[-1]}:*"]
    texts = [
        f"({first}to_tsquery('{CONFIG}', %s))",
        f"({first}to_tsquery('simple', unaccent(%s)))",
    ]
    return texts, 2 * [*before, *last]


def _ranked(term: Term) -> list[str]:
    pieces = term.pieces[:-1] if term.prefix else term.pieces
    return [*pieces, *(piece for each in term.equivalents for piece in each)]


def _widened(terms: Sequence[Term], synonyms: Mapping[str, Sequence[str]]) -> list[Term]:
    """Longest keys first: "full text search" before "text"."""
    longest = max((len(key.split()) for key in synonyms), default=0)
    found: list[Term] = []
    place = 0
    while place < len(terms):
        for length in range(min(longest, len(terms) - place), 0, -1):
            run = terms[place : place + length]
            equivalents = synonyms.get(_name(run))
            if equivalents:
                found.append(_joined(run, equivalents))
                place += length
                break
        else:
            found.append(terms[place])
            place += 1
    return found


def _name(run: Sequence[Term]) -> str:
    """What a run of terms is called among the synonyms; nothing where it can't be one."""
    if any(term.negated or term.prefix for term in run):
        return ""
    if len(run) > 1 and any(term.quoted for term in run):
        return ""
    return " ".join(piece.lower() for term in run for piece in term.pieces)


def _joined(run: Sequence[Term], equivalents: Sequence[str]) -> Term:
    return replace(
        run[0],
        typed=" ".join(term.typed for term in run),
        pieces=tuple(piece for term in run for piece in term.pieces),
        apart=len(run) > 1,
        equivalents=tuple(filter(None, map(pieces_of, equivalents))),
    )
