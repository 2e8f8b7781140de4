"""Boxes and arrows."""

import pytest
from matplotlib.text import Annotation

from answerbook.notebook.diagrams import diagram

BOXES = {"api": (0, 0), "events": (1, 0), "render": (1, 1)}


def test_every_box_and_label_is_in_the_drawing() -> None:
    drawn = diagram(BOXES, [("api", "events", "acks=all"), ("events", "render")], stores=["events"])
    texts = [text.get_text() for text in drawn.axes[0].texts]
    assert {"api", "events", "render", "acks=all"} <= set(texts)


def test_arrows_end_at_the_edge_of_their_boxes() -> None:
    drawn = diagram(BOXES, [("api", "events")])
    (arrow,) = [text for text in drawn.axes[0].texts if isinstance(text, Annotation)]
    assert 0 < arrow.xyann[0] < arrow.xy[0] < 1
    assert 0 == arrow.xyann[1] == arrow.xy[1]


def test_arrow_to_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="no box: deliver"):
        diagram(BOXES, [("api", "deliver")])


def test_two_boxes_in_one_place_are_refused() -> None:
    with pytest.raises(ValueError, match="one place"):
        diagram(BOXES | {"other": (0, 0)}, [])
