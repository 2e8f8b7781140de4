"""RFC 3339 times of any year as records carry them: milliseconds since 1970 UTC.

Python's datetime begins with the year 1 and knows no second 60; RFC 3339 allows both.
"""

import re
from datetime import UTC, date, datetime, timedelta

_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
PATTERN = (
    rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt]{_CLOCK}:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
    rf"(?:[Zz]|[+-]{_CLOCK})"
)
"""The form of a time; whether there is such a day, `milliseconds` says."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY = 86_400_000
_PARTS = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)


def milliseconds(text: str) -> int:
    """A time of the form PATTERN, rounded down. Raises ValueError where there is no such time."""
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except (ValueError, OverflowError):
        return _by_hand(text)
    return since.days * _DAY + since.seconds * 1000 + since.microseconds // 1000


def rfc3339(moment: int) -> str:
    """Milliseconds since 1970, of the years 1 to 9999, as `2026-01-31T12:00:00.000Z`."""
    whole = (_EPOCH + timedelta(milliseconds=moment)).isoformat(timespec="milliseconds")
    return whole.replace("+00:00", "Z")


def _by_hand(text: str) -> int:
    parts = _PARTS.fullmatch(text)
    if parts is None:
        raise ValueError("no RFC 3339 time")
    year, month, day, hour, minute, second = map(int, parts.groups()[:6])
    fraction, sign = parts[7] or "", parts[8]
    away_hours, away_minutes = int(parts[9] or 0), int(parts[10] or 0)
    # The calendar repeats every 400 years, so that the year 0 can be asked about as 400.
    days = (
        date(year + 400, month, day).toordinal() - _EPOCH_DAY - 146_097
        if year == 0
        else (date(year, month, day).toordinal() - _EPOCH_DAY)
    )
    away = (away_hours * 60 + away_minutes) * (-1 if sign == "-" else 1)
    minutes = days * 1440 + hour * 60 + minute - away
    if second == 60 and minutes % 1440 != 1439:
        raise ValueError("a leap second is the last of a day, UTC")
    return minutes * 60_000 + second * 1000 + int((fraction + "000")[:3])
