"""What FCM checks of a message's parts for Android, Apple's devices and the web.

Used by `validation.py`. For Android all that the reference documents; for the others what their
own services refuse most often, since FCM passes the rest on unseen.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from answerbook.notify.emulator.answers import Violation
from answerbook.notify.emulator.schema import (
    AndroidConfig,
    AndroidNotification,
    ApnsConfig,
    LightSettings,
    Message,
    WebpushConfig,
)

LONGEST_TTL: Final = 2_419_200
"""Seconds: four weeks."""
APNS_PRIORITIES: Final = frozenset({"1", "5", "10"})
URGENCIES: Final = frozenset({"very-low", "low", "normal", "high"})

_label = re.compile(r"[a-zA-Z0-9-_.~%]{1,50}").fullmatch
_color = re.compile(r"#[0-9a-fA-F]{6}").fullmatch
_duration = re.compile(r"(-?\d{1,12})(?:\.(\d{1,9}))?s").fullmatch
_time = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.IGNORECASE
).fullmatch

Violations = Iterator[Violation]


def platform_violation(message: Message) -> Violation | None:
    """The first that is wrong, or None."""
    if message.android is not None:
        for found in _android(message.android, "message.android"):
            return found
    if message.webpush is not None:
        for found in _webpush(message.webpush, "message.webpush"):
            return found
    if message.apns is not None:
        for found in _apns(message.apns, "message.apns"):
            return found
    return None


def label(path: str, given: str | None) -> Violation | None:
    """What is wrong with an analytics label, or None."""
    if given is None or _label(given):
        return None
    return Violation(f"{path}.analytics_label", "Invalid analytics label: [a-zA-Z0-9-_.~%]{1,50}")


@lru_cache(maxsize=1_024)
def duration(given: str) -> float | None:
    """Seconds of a duration in JSON (`3600s`, `1.5s`), or None when it is none."""
    found = _duration(given)
    return float(given[:-1]) if found else None


def _android(android: AndroidConfig, path: str) -> Violations:
    if android.ttl is not None:
        seconds = duration(android.ttl)
        if seconds is None:
            yield Violation(f"{path}.ttl", _illegal_duration(f"{path}.ttl"))
        elif not 0 <= seconds <= LONGEST_TTL:
            yield Violation(f"{path}.ttl", f"Invalid TTL: it is from 0s to {LONGEST_TTL}s")
    if android.notification is not None:
        yield from _android_notification(android.notification, f"{path}.notification")
    if android.fcm_options is not None:
        yield from _some(label(f"{path}.fcm_options", android.fcm_options.analytics_label))


def _android_notification(note: AndroidNotification, path: str) -> Violations:
    if note.color is not None and not _color(note.color):
        yield Violation(f"{path}.color", "Invalid color: it is in the form #rrggbb")
    for part in ("body", "title"):
        if getattr(note, f"{part}_loc_args") and not getattr(note, f"{part}_loc_key"):
            yield Violation(f"{path}.{part}_loc_args", f"{part}_loc_key is required with it")
    if note.event_time is not None and not _is_time(note.event_time):
        yield Violation(f"{path}.event_time", "Illegal timestamp format; it is that of RFC 3339")
    for number, timing in enumerate(note.vibrate_timings or ()):
        if duration(timing) is None or timing.startswith("-"):
            place = f"{path}.vibrate_timings[{number}]"
            yield Violation(place, _illegal_duration(place))
    if note.notification_count is not None and note.notification_count < 0:
        yield Violation(f"{path}.notification_count", "It must not be negative")
    if note.light_settings is not None:
        yield from _light(note.light_settings, f"{path}.light_settings")


def _light(light: LightSettings, path: str) -> Violations:
    if light.color is None:
        yield Violation(f"{path}.color", "light_settings.color is required")
    for name in ("light_on_duration", "light_off_duration"):
        given = getattr(light, name)
        if given is None:
            yield Violation(f"{path}.{name}", f"light_settings.{name} is required")
        elif duration(given) is None:
            yield Violation(f"{path}.{name}", _illegal_duration(f"{path}.{name}"))


def _webpush(web: WebpushConfig, path: str) -> Violations:
    headers = {name.lower(): value for name, value in (web.headers or {}).items()}
    if not headers.get("ttl", "0").isdecimal():
        yield Violation(f"{path}.headers", "Invalid TTL header: whole seconds, not negative")
    if headers.get("urgency", "normal") not in URGENCIES:
        yield Violation(f"{path}.headers", "Invalid Urgency header: very-low, low, normal or high")
    if web.fcm_options is not None:
        link = web.fcm_options.link
        if link is not None and not link.startswith("https://"):
            yield Violation(f"{path}.fcm_options.link", "The link must be an HTTPS URL")
        yield from _some(label(f"{path}.fcm_options", web.fcm_options.analytics_label))


def _apns(apns: ApnsConfig, path: str) -> Violations:
    headers = {name.lower(): value for name, value in (apns.headers or {}).items()}
    if headers.get("apns-priority", "10") not in APNS_PRIORITIES:
        yield Violation(f"{path}.headers", "Invalid apns-priority: 1, 5 or 10")
    if not headers.get("apns-expiration", "0").isdecimal():
        yield Violation(f"{path}.headers", "Invalid apns-expiration: seconds since 1970")
    if apns.payload is not None:
        yield from _aps(apns.payload, f"{path}.payload")
    if apns.fcm_options is not None:
        yield from _some(label(f"{path}.fcm_options", apns.fcm_options.analytics_label))


def _aps(payload: dict[str, Any], path: str) -> Violations:
    aps = payload.get("aps")
    if aps is None:
        return
    if not isinstance(aps, dict) or not aps:
        yield Violation(f"{path}.aps", "aps must be an object, and not empty")
        return
    badge = aps.get("badge", 0)
    if isinstance(badge, bool) or not isinstance(badge, int | float):
        yield Violation(f"{path}.aps.badge", "badge must be a number")
    if not isinstance(aps.get("alert", ""), str | dict):
        yield Violation(f"{path}.aps.alert", "alert must be a string or an object")
    if not isinstance(aps.get("sound", ""), str | dict):
        yield Violation(f"{path}.aps.sound", "sound must be a string or an object")


def _is_time(given: str) -> bool:
    found = _time(given)
    if not found:
        return False
    try:
        datetime.fromisoformat(found[1])
    except ValueError:
        return False
    return True


def _illegal_duration(path: str) -> str:
    return (
        f"Invalid value at '{path}' (type.googleapis.com/google.protobuf.Duration), "
        "Illegal duration format; duration must end with 's'"
    )


def _some(violation: Violation | None) -> Violations:
    if violation is not None:
        yield violation
