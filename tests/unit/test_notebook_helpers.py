"""What cells show: tables, figures, the closing table."""

import io
import math
import re
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import RichOutput, capture_output
from PIL import Image

from answerbook.notebook import (
    bars,
    environment,
    figure,
    lines,
    results,
    show,
    table,
)
from answerbook.notebook.figures import COLOURS, HATCHES, MARKERS
from answerbook.notebook.numbers import readable

Shown = Callable[[Callable[[], None]], list[RichOutput]]


@pytest.fixture(scope="module", autouse=True)
def shell() -> Iterator[None]:
    """The shell that `display` publishes to, as in a kernel."""
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()


def shown(action: Callable[[], None]) -> list[RichOutput]:
    with capture_output() as captured:
        action()
    return list(captured.outputs)


class Cells(HTMLParser):
    """The texts of a table's cells, row by row."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._open = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.rows[-1][-1] += data


# -- tables -----------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@given(st.lists(st.lists(texts, min_size=2, max_size=2), min_size=1, max_size=5))
def test_any_text_comes_through_a_table_escaped_and_whole(rows: list[list[str]]) -> None:
    (output,) = shown(lambda: table(rows, columns=["<a>", "b"], caption="c & d"))

    expected = [[" ".join(text.split()) for text in row] for row in rows]
    assert [["<a>", "b"], *expected] == Cells(output.data["text/html"]).rows
    assert "<em>c &amp; d</em>" in output.data["text/html"]


def test_table_aligns_columns_of_numbers_to_the_right_in_both_forms() -> None:
    rows: list[dict[str, Any]] = [
        {"client": "pika", "rate": 33_000},
        {"client": "kafka", "rate": None},
    ]
    (output,) = shown(lambda: table(rows, caption="Rates."))

    assert re.findall(r"<td align=\"(\w+)\"", output.data["text/html"]) == ["left", "right"] * 2
    expected = ["client   rate", "------  -----", "pika    33000", "kafka       –", "", "Rates."]
    assert expected == output.data["text/plain"].splitlines()


def test_table_takes_named_columns_of_mappings_in_the_order_given() -> None:
    (output,) = shown(lambda: table([{"a": 1, "b": 2}], columns=["b", "a"], caption="c"))
    assert [["b", "a"], ["2", "1"]] == Cells(output.data["text/html"]).rows


@pytest.mark.parametrize(
    ("rows", "options", "complaint"),
    [
        ([dict.fromkeys("abcdef", 1)], {"caption": "c"}, "at most 5 columns.*has 6"),
        ([], {"caption": "c"}, "at least one row"),
        ([(1, 2)], {"caption": "c"}, "need names"),
        ([(1, 2)], {"columns": ["a"], "caption": "c"}, "does not fit"),
        (["ab"], {"columns": ["a", "b"], "caption": "c"}, "does not fit"),
        ([{"a": 1}], {"caption": " "}, "needs a caption"),
    ],
)
def test_table_that_would_not_read_well_is_refused(
    rows: list[Any], options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        table(rows, **options)


# -- numbers ----------------------------------------------------------------------------------


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_readable_number_is_within_half_a_percent_of_the_number(number: float) -> None:
    assert math.isclose(number, float(readable(number).replace(",", "")), rel_tol=0.0051)


@given(st.integers())
def test_readable_integer_keeps_all_digits(number: int) -> None:
    assert number == int(readable(number).replace(",", ""))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0123456, "0.0123"), (9.999, "10.0"), (99.96, "100"), (1234.5, "1234"), (0.0, "0"),
        (123_456.7, "123,457"), (65_535, "65535"), (1_000_000, "1,000,000"), (-1.5, "-1.50"),
        (math.inf, "inf"), (1e-9, "1.00e-09"),
    ],
)  # fmt: skip
def test_number_is_shown_with_digits_that_mean_something(number: float, text: str) -> None:
    assert text == readable(number)


# -- figures ----------------------------------------------------------------------------------


def test_shown_figure_is_an_opaque_png_with_alt_text_and_a_visible_caption() -> None:
    drawn = lines({"pika": ([1, 2], [3, 4])}, x="seconds", y="messages")
    picture, caption = shown(lambda: show(drawn, alt="It <rises>.", caption="Rising & more."))

    image = Image.open(io.BytesIO(b64decode(picture.data["image/png"])))
    white = (255, 255, 255)
    assert white == image.convert("RGB").getpixel((0, 0))
    assert (255, 255) == image.convert("RGBA").getchannel("A").getextrema()
    assert 700 <= image.width <= 840
    assert "It <rises>." == picture.data["text/plain"] == picture.metadata["image/png"]["alt"]
    assert "<em>Rising &amp; more.</em>" in caption.data["text/html"]
    assert "caption" == caption.metadata["answerbook"]["role"]


def test_caption_is_the_alt_text_where_none_is_given() -> None:
    _, caption = shown(lambda: show(bars({"a": 1}, x="client", y="ms"), alt="One bar."))
    assert "One bar." == caption.data["text/plain"]


def test_figure_of_pyplot_is_closed_once_shown() -> None:
    from matplotlib import pyplot

    drawn, axes = pyplot.subplots()
    axes.set(xlabel="x", ylabel="y")
    shown(lambda: show(drawn, alt="Nothing yet."))
    assert not pyplot.fignum_exists(drawn.number)


@pytest.mark.parametrize("missing", ["x", "y"])
def test_figure_with_an_axis_that_has_no_label_is_refused(missing: str) -> None:
    drawn, axes = figure()
    axes.set(xlabel="x", ylabel="y")
    axes.set(**{f"{missing}label": ""})
    with pytest.raises(ValueError, match=f"The {missing} axis has no label"):
        show(drawn, alt="Axes.")


def test_figure_without_alt_text_is_refused() -> None:
    with pytest.raises(ValueError, match="needs alt text"):
        show(bars({"a": 1}, x="client", y="ms"), alt=" ")


def test_label_of_a_shared_axis_counts_for_all_that_share_it() -> None:
    drawn, (left, right) = figure(columns=2)
    right.sharey(left)
    left.set(xlabel="x", ylabel="y")
    right.set(xlabel="x")
    assert 2 == len(shown(lambda: show(drawn, alt="Two.")))


def test_second_y_axis_on_the_same_place_needs_a_label_of_its_own() -> None:
    drawn, axes = figure()
    axes.set(xlabel="x", ylabel="y")
    second = axes.twinx()
    with pytest.raises(ValueError, match="The y axis has no label"):
        show(drawn, alt="Two scales.")
    second.set(ylabel="z")
    assert 2 == len(shown(lambda: show(drawn, alt="Two scales.")))


def test_colour_bar_needs_one_label_only() -> None:
    drawn, axes = figure()
    axes.set(xlabel="x", ylabel="y")
    bar = drawn.colorbar(axes.imshow([[1, 2], [3, 4]]))
    with pytest.raises(ValueError, match="axis has no label"):
        show(drawn, alt="A map.")
    bar.set_label("milliseconds")
    assert 2 == len(shown(lambda: show(drawn, alt="A map.")))


def test_lines_differ_in_marker_and_colour() -> None:
    drawn = lines({str(n): ([1], [n]) for n in range(len(COLOURS))}, x="x", y="y")
    plotted = drawn.axes[0].get_lines()
    assert set(MARKERS) == {line.get_marker() for line in plotted}
    assert set(COLOURS) == {line.get_color() for line in plotted}


def test_bars_of_several_series_stand_side_by_side_with_their_numbers() -> None:
    values = {"LIKE": {"rare": 20.0, "common": 30.0}, "index": {"common": 0.5}}
    axes: Any = bars(values, x="word", y="ms", log=True).axes[0]

    assert ["rare", "common"] == [label.get_text() for label in axes.get_xticklabels()]
    assert {"20.0", "30.0", "0.500"} <= {text.get_text() for text in axes.texts}
    assert list(HATCHES[:2]) == sorted({bar.get_hatch() for bar in axes.patches})
    spans = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches)
    assert all(end <= start + 1e-9 for (_, end), (start, _) in pairwise(spans))


def test_bars_that_lie_go_from_top_to_bottom_and_make_room() -> None:
    values = {"live": {"a": 1.0, "b": 20.0}, "benchmark": {"a": 2.0, "b": 30.0}}
    few = bars(values, x="a second", y="protocol", log=True, horizontal=True)
    many = bars({str(n): 1.0 for n in range(16)}, x="a second", y="protocol", horizontal=True)
    axes: Any = few.axes[0]

    assert ["a", "b"] == [label.get_text() for label in axes.get_yticklabels()]
    assert ("a second", "log") == (axes.get_xlabel(), axes.get_xscale())
    assert [1, 20, 2, 30] == [bar.get_width() for bar in axes.patches]
    top = [bar.get_window_extent().y1 for bar in axes.patches]
    assert sorted(top, reverse=True) == [top[0], top[2], top[1], top[3]]
    assert few.get_figheight() < many.get_figheight()


def test_spread_is_a_line_along_its_bar_from_the_least_to_the_most() -> None:
    drawn = bars(
        {"live": {"a": 5.0, "b": 7.0}, "alone": {"a": 6.0, "b": 8.0}},
        x="x",
        y="y",
        horizontal=True,
        spread={"alone": {"b": (7.5, 8.5)}},
    )
    (axes,) = drawn.axes
    line: Any = axes.collections[0]
    of_a, of_b = ((start[0], end[0]) for start, end in line.get_segments())
    assert (6.0, 6.0) == of_a, "nothing is known of it"
    assert (7.5, 8.5) == of_b
    numbers: dict[str, Any] = {text.get_text(): text for text in axes.texts}
    assert 8.5 == numbers["8.00"].xy[0], "a number stands beyond its line"


def test_numbers_and_series_do_not_mix_in_bars() -> None:
    mixed: Any = {"a": 1, "b": {"c": 2}}
    with pytest.raises(ValueError, match="not both"):
        bars(mixed, x="x", y="y")


# -- what a benchmark measured -----------------------------------------------


def test_results_are_those_that_are_committed() -> None:
    assert 3 == results("services")["runs"]


def test_results_outside_of_a_clone_are_missed_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("answerbook.config.repository", lambda: None)
    with pytest.raises(FileNotFoundError, match="in a clone of the repository"):
        results("services")


# -- the closing table -----------------------------------------------------


class Broker:
    name, version = "rabbitmq", "4.2.1"


def test_environment_lists_versions_cores_and_date_and_no_name_of_the_machine() -> None:
    (output,) = shown(lambda: environment("matplotlib", Broker()))
    rows = dict(row for row in Cells(output.data["text/html"]).rows)

    assert sys.version.split()[0] == rows["Python"]
    assert "4.2.1" == rows["rabbitmq (service)"]
    assert {"matplotlib", "cores", "memory", "profile", "date"} <= set(rows)


def test_environment_names_a_package_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="No package called 'matplotlob'"):
        environment("matplotlob")
