"""What notebook 5.2 measures with, against examples worked by hand."""

import pytest

from answerbook.notebook import ranking


def test_documents_have_names_of_their_own_and_judged_ones_are_among_them() -> None:
    names = [name for name, _, _ in ranking.corpus()]
    queries, grades = ranking.judged()
    assert len(names) == len(set(names))
    assert queries.keys() == grades.keys()
    assert {name for each in grades.values() for name in each} <= set(names)
    assert all({0, 1, 2} >= set(each.values()) for each in grades.values())


JUDGED = {"a": 2, "b": 1, "c": 1, "d": 0}


def test_measures_of_an_example_worked_by_hand() -> None:
    # b, x, a: 1/log2(2) + 0 + 2/log2(4) = 2; best a, b, c: 2 + 1/log2(3) + 1/2 = 3.1309298
    assert 2 / 3.1309298 == pytest.approx(ranking.ndcg(["b", "x", "a"], JUDGED))
    assert 1 == ranking.ndcg(["a", "c", "b", "d"], JUDGED)
    assert 0 == ranking.ndcg(["x"] * 10 + ["a"], JUDGED)
    # Relevant at places 1 and 3, a third one not found.
    assert (1 + 2 / 3) / 3 == pytest.approx(ranking.average_precision(["b", "x", "a"], JUDGED))
    assert 0 == ranking.average_precision([], JUDGED)


def test_rankings_share_what_both_have_among_their_first_ten() -> None:
    ours = {"1": ["a", "b"], "2": [*"abcdefghij", "k"]}
    theirs = {"1": ["x", "b"], "2": [*"zyxwvutsrq", "a"]}
    assert (1 / 2 + 0) / 2 == ranking.shared(ours, theirs)
    assert 1 == ranking.shared(ours, ours)


def test_comparison_counts_searches_that_are_better_and_worse() -> None:
    grades = {"1": JUDGED, "2": JUDGED, "3": JUDGED}
    ours = {"1": ["a", "b", "c"], "2": ["x"], "3": ["a"]}
    theirs = {"1": ["x"], "2": ["a", "b", "c"], "3": ["a"]}
    mean, won, lost, p = ranking.compared(ours, theirs, grades)
    assert 0 == pytest.approx(mean)
    assert (1, 1, 1.0) == (won, lost, p)


def test_difference_of_one_sign_is_no_chance_and_one_of_both_is() -> None:
    assert 0.01 > ranking.by_chance([0.1] * 12)
    assert 1 == ranking.by_chance([0.1, -0.1] * 6)
    # Of four signs that could be otherwise, two of sixteen give as much.
    assert 2 / 16 == pytest.approx(ranking.by_chance([1.0] * 4), abs=0.02)


def test_typo_is_one_slip_away_from_a_word_and_no_word_itself() -> None:
    words = ["socket", "packet", "pocket", "rocket"]
    made = ranking.typos(words, 200)
    assert made == ranking.typos(words, 200)
    assert {meant for _, meant in made} == set(words)
    assert not {typed for typed, _ in made} & set(words)
    lengths = {len(typed) - len(meant) for typed, meant in made}
    assert lengths == {-1, 0, 1}
    swapped = [typed for typed, meant in made if typed != meant and sorted(typed) == sorted(meant)]
    assert swapped
    assert all(typed[0] == meant[0] for typed, meant in made)


def test_rows_that_a_plan_reads_are_those_of_its_scans_with_the_dropped_ones() -> None:
    scan = {"Actual Rows": 2.5, "Actual Loops": 4, "Rows Removed by Filter": 1}
    plan = {
        "Actual Rows": 10,
        "Actual Loops": 1,
        "Plans": [{"Actual Rows": 90, "Actual Loops": 1, "Plans": [scan]}],
    }
    assert 14 == ranking.rows_read(plan)
    both = {"Actual Rows": 1, "Actual Loops": 1, "Plans": [scan, {**scan, "Actual Loops": 1}]}
    assert 14 + 4 == ranking.rows_read(both)


def test_buffers_are_those_in_memory_and_those_that_were_read() -> None:
    assert 12 == ranking.buffers({"Shared Hit Blocks": 9, "Shared Read Blocks": 3})


def test_word_is_corrected_when_an_answer_has_it_whole() -> None:
    answers = {"sokcet": ["socket.create_server"], "paket": ["packets", "a"], "piep": []}
    mistyped = [("sokcet", "socket"), ("paket", "packet"), ("piep", "pipe")]
    right, milliseconds = ranking.corrected(answers.__getitem__, mistyped)
    assert 1 == right
    assert 0 <= milliseconds
