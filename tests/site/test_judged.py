"""How good the site's ranking is, by searches over its own corpus that were judged by reading."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

import search
from search import champions, facets
from search.evaluation import Scores, mean, read_judgements, read_queries, scores
from search.models import Document
from search.rankers.champions import Champions

FOLDER = Path(search.__file__).parent / "corpus" / "judged"
LEAST = 0.79
"""nDCG@10; 0.819 was measured."""

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def names() -> dict[int, str]:
    """Of the default corpus."""
    call_command("load_default_corpus", verbosity=0)
    return dict(Document.objects.values_list("id", "external_id"))


def measured(names: dict[int, str]) -> Scores:
    judged = read_judgements(FOLDER / "qrels.txt")
    rankings = {
        query: [names[id_] for id_, _ in Document.objects.ranking(text, 100)]
        for query, text in read_queries(FOLDER / "queries.tsv").items()
    }
    return mean([scores(ranking, judged[query]) for query, ranking in rankings.items()])


def test_every_search_is_judged_and_every_judgement_has_its_document(names: dict[int, str]) -> None:
    queries = read_queries(FOLDER / "queries.tsv")
    judged = read_judgements(FOLDER / "qrels.txt")
    assert len(queries) >= 40
    assert queries.keys() == judged.keys()
    assert all(any(grades.values()) for grades in judged.values())
    assert set() == {name for grades in judged.values() for name in grades} - set(names.values())


def test_ranking_is_as_good_as_it_was(names: dict[int, str]) -> None:
    assert measured(names).ndcg >= LEAST


def test_ts_rank_is_a_worse_one(names: dict[int, str], settings_of_site: Any) -> None:
    best = measured(names).ndcg
    settings_of_site.RANKER = "orm"
    assert measured(names).ndcg < best - 0.1


def test_fast_ranker_is_as_good_as_scoring_everything(
    names: dict[int, str], settings_of_site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With lists as short, against this corpus, as those of a large one against it."""
    settings_of_site.CHAMPIONS_FROM, settings_of_site.CHAMPIONS_LENGTH = 100, 200
    monkeypatch.setattr(facets, "COUNT_CAP", 50)
    champions.refresh()
    looked: list[int] = []
    candidates = Champions._candidates

    def counted(self: Champions, query: str, number: int) -> Any:
        looked.append(number)
        return candidates(self, query, number)

    monkeypatch.setattr(Champions, "_candidates", counted)
    fast = measured(names).ndcg
    assert len(looked) >= 10, "most searches have no word with a list"
    settings_of_site.RANKER = "exact"
    assert fast >= 0.98 * measured(names).ndcg
