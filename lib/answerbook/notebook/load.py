"""Load tests from a cell: Locust in a process of its own, its seconds as a data frame.

    from answerbook.notebook import load
    seconds = load.run("spike", notify.url, notify.api_key, ledger=notify.ledger_folder)
    seconds.plot(x="second", y="p99")
    seconds.attrs["whole"].p99

For the notebooks of question 2. Never import `locust` in a kernel: gevent's patches hang it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    import pandas as pd

    from answerbook.load.measured import Second
    from answerbook.load.run import LoadTest
    from answerbook.load.shapes import ShapeName


def run(
    shape: ShapeName,
    url: str,
    key: str,
    *,
    ledger: Path | None = None,
    each_second: Callable[[Second], object] | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Load the API at `url` and draw a bar meanwhile; a row for each second.

    Columns: second, rate (events due), throughput (events accepted), requests, errors, p50, p95,
    p99 (seconds, from when a request was due; NaN where no answer came), waiting (requests due and
    not answered), late (of the generator). `attrs["whole"]` is a `load.measured.Whole`, whose
    `run_id` the audit wants; `attrs["began"]` is the start on the clock of `time.monotonic`.
    `each_second` is called with each second once it has passed, so that something may be done to
    the system in the midst of a test. `options` are those of `load.run.Load`: seconds, rate, batch,
    pool, users, run_id. Raises LoadFailed, and ValueError for options that cannot be.
    """
    import pandas as pd

    from answerbook.load import shapes
    from answerbook.load.measured import Second

    with _started(shape, url, key, ledger, options) as test:
        total = round(shapes.shape(shape, test.load.seconds, test.load.rate).seconds)
        with tqdm(total=total, desc=shape, unit="s", file=sys.stderr, ncols=79) as bar:
            began = 0.0
            for second in test:
                began = began or time.monotonic() - second.second - 1
                bar.set_postfix_str(line(second), refresh=False)
                bar.update(min(1, total - bar.n))
                if each_second is not None:
                    each_second(second)
        columns = [each.name for each in fields(Second)]
        rows = pd.DataFrame([asdict(second) for second in test.seconds], columns=columns)
        rows = rows.astype(dict.fromkeys(("p50", "p95", "p99"), float))
        rows.attrs |= {"whole": test.whole, "began": began}
        return rows


def page(
    shape: ShapeName, url: str, key: str, *, ledger: Path | None = None, **options: Any
) -> LoadTest:
    """Locust with its page, whose address is `.page`; a person starts and stops tests there.

    Use it as `with load.page(…) as locust:`, or end it with `locust.close()`.
    """
    return _started(shape, url, key, ledger, options, page=True)


def line(second: Second) -> str:
    """A second in a few words, for a line that is drawn anew each time."""
    p50, p99 = (
        "no answer" if value is None else f"{value * 1000:.0f} ms"
        for value in (second.p50, second.p99)
    )
    return f"{second.throughput:.0f}/s, p50 {p50}, p99 {p99}, {second.errors} errors"


def _started(
    shape: ShapeName,
    url: str,
    key: str,
    ledger: Path | None,
    options: dict[str, Any],
    page: bool = False,
) -> LoadTest:
    from answerbook.config import Settings
    from answerbook.load.run import Load, LoadTest

    folder = ledger or Settings.load().state_folder / "load"
    return LoadTest(Load(url, shape, folder, **options), key, page=page)
