"""Measures of a ranking, against examples worked by hand."""

import math
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from search.evaluation import (
    Scores,
    UnreadableCollection,
    average_precision,
    mean,
    ndcg,
    read_judgements,
    read_queries,
    recall,
)

JUDGED = {"a": 3, "b": 2, "c": 1, "d": 0}


def test_ndcg_of_an_example_worked_by_hand() -> None:
    # b, x, a: 2/log2(2) + 0 + 3/log2(4) = 3.5; best a, b, c: 3 + 2/log2(3) + 1/2 = 4.7618595
    assert 3.5 / 4.7618595 == pytest.approx(ndcg(["b", "x", "a"], JUDGED))
    assert 1 == ndcg(["a", "b", "c"], JUDGED)
    assert 0 == ndcg(["d", "x"], JUDGED) == ndcg([], JUDGED) == ndcg(["a"], {"a": 0})


def test_ndcg_looks_at_ten() -> None:
    many = {f"r{number}": 1 for number in range(20)}
    assert 1 == ndcg(list(many), many)
    assert 0 == ndcg([*(f"x{number}" for number in range(10)), "r1"], many)
    ideal = sum(1 / math.log2(place + 1) for place in range(1, 11))
    assert 1 / ideal == pytest.approx(ndcg(["r1"], many))


def test_average_precision_of_an_example_worked_by_hand() -> None:
    # relevant at places 1 and 3, a third one not found: (1/1 + 2/3 + 0) / 3
    assert (1 + 2 / 3) / 3 == pytest.approx(average_precision(["a", "x", "c"], JUDGED))
    assert 0 == average_precision(["x"], JUDGED) == average_precision(["a"], {})


def test_recall_looks_at_a_hundred() -> None:
    ranking = [*(f"x{number}" for number in range(98)), "a", "b", "c"]
    assert 2 / 3 == recall(ranking, JUDGED)
    assert 0 == recall(ranking, {})


def test_mean_is_over_queries() -> None:
    assert Scores(0.5, 0.25, 0.5) == mean([Scores(1, 0.5, 0), Scores(0, 0, 1)])
    with pytest.raises(ValueError, match="no query"):
        mean([])


def test_broken_line_of_a_collection_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("1\tfine\n2 no tab\n")
    with pytest.raises(UnreadableCollection, match="file, line 2: is not `id<tab>text`"):
        read_queries(path)
    path.write_text("1\tone\n1\tagain\n")
    with pytest.raises(UnreadableCollection, match="line 2: 1 is there twice"):
        read_queries(path)
    path.write_text("q 0 d 1\nq 0 d\n")
    with pytest.raises(UnreadableCollection, match="line 2: is not `query 0 document relevance`"):
        read_judgements(path)


@pytest.mark.usefixtures("database")
def test_command_ranks_a_collection_in_a_database_of_its_own(tmp_path: Path) -> None:
    docs, queries, qrels = (tmp_path / name for name in ("d.jsonl", "q.tsv", "r.txt"))
    docs.write_text(
        '{"external_id": "d1", "title": "One", "body": "sockets connect"}\n'
        '{"external_id": "d2", "title": "Two", "body": "json text"}\n'
    )
    queries.write_text("q1\tsocket\nq2\tjson socket\nq3\tnobody judged\n")
    qrels.write_text("q1 0 d1 1\nq2 0 d2 1\nq2 0 d1 1\n")
    out = StringIO()
    call_command("evaluate", *map(str, (docs, queries, qrels)), "--ranker", "orm", stdout=out)
    assert "2 documents, 2 queries, ranker orm" in out.getvalue()
    assert "nDCG@10     1.0000" in out.getvalue()
    assert "MAP         1.0000" in out.getvalue()
    with pytest.raises(CommandError, match="No such file"):
        call_command("evaluate", "nothing", str(queries), str(qrels))
