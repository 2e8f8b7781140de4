"""Faults on demand: what the control API sets, and what becomes of each message because of it.

{"latency": {"kind": "lognormal", "median_ms": 40, "sigma": 0.5},
 "errors": {"UNAVAILABLE": 0.33}, "retry_after": 2,
 "tokens": {"token-a": "UNREGISTERED", "token-b": ["UNAVAILABLE", "OK"]},
 "outage": {"kind": "unavailable", "seconds": 30},
 "lost_answers": {"share": 0.05, "how": "cut"}, "seed": 7}
"""

import math
import random
import re
import time
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from answerbook.notify.emulator.answers import ErrorCode, Fate

LONGEST_MS: Final = 600_000
MOST_TOKENS: Final = 1_000_000

Milliseconds = Annotated[float, Meta(ge=0, le=LONGEST_MS)]
Share = Annotated[float, Meta(ge=0, le=1)]
Outcome = Literal["OK"] | ErrorCode


class Constant(Struct, tag="constant", tag_field="kind", forbid_unknown_fields=True):
    """Every answer takes as long."""

    ms: Milliseconds


class Uniform(Struct, tag="uniform", tag_field="kind", forbid_unknown_fields=True):
    """Any duration between the two is as likely."""

    low_ms: Milliseconds
    high_ms: Milliseconds


class Lognormal(Struct, tag="lognormal", tag_field="kind", forbid_unknown_fields=True):
    """Most near the median, some much longer: as services are. Cut at LONGEST_MS."""

    median_ms: Milliseconds
    sigma: Annotated[float, Meta(ge=0, le=5)]


class Outage(Struct, forbid_unknown_fields=True):
    """Nothing is accepted: connections are cut (`refuse`), 503, or no answer comes (`hang`)."""

    kind: Literal["refuse", "unavailable", "hang"]
    seconds: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    """None: until it is lifted."""


class LostAnswers(Struct, forbid_unknown_fields=True):
    """A share of the messages is accepted and recorded, and the sender never learns it."""

    share: Share
    how: Literal["cut", "silence"] = "cut"


class Faults(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """All that can be set; what is absent is as it should be."""

    latency: Constant | Uniform | Lognormal | None = None
    errors: dict[ErrorCode, Share] = {}
    """Shares of the messages; together at most 1."""
    tokens: Annotated[dict[str, Outcome | list[Outcome]], Meta(max_length=MOST_TOKENS)] = {}
    """Token or fid → its outcome; a list gives one for each send, and the last from then on."""
    outage: Outage | None = None
    lost_answers: LostAnswers | None = None
    retry_after: Annotated[int, Meta(ge=0, le=86_400)] | None = None
    """Seconds, in the header of that name, with 429, 500 and 503."""
    seed: int | None = None
    """Makes the same choices for the same order of messages."""


class WrongFaults(ValueError):
    """What was sent cannot be used; `field` says where: `latency.ms`."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def read_faults(body: bytes) -> Faults:
    """The faults in a request's body. Raises WrongFaults."""
    try:
        faults = msgspec.json.decode(body, type=Faults)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WrongFaults(_field(str(error)), str(error)) from error
    if isinstance(faults.latency, Uniform) and faults.latency.low_ms > faults.latency.high_ms:
        raise WrongFaults("latency.high_ms", "it is not below low_ms")
    if sum(faults.errors.values()) > 1 + 1e-9:
        raise WrongFaults("errors", "the shares are at most 1 together")
    if any(outcomes == [] for outcomes in faults.tokens.values()):
        raise WrongFaults("tokens", "a list of outcomes is not empty")
    return faults


def _field(error: str) -> str:
    """`latency.ms` from msgspec's `… - at `$.latency.ms``; the unknown or missing one likewise."""
    at = re.search(r"at `\$\.?(.*?)`$", error) or re.search(r"in `\$\.?(.*?)`$", error)
    path = at[1] if at else ""
    named = re.search(r"(?:unknown|required) field `(.*?)`", error)
    return ".".join(part for part in (path, named[1] if named else "") if part)


class Plan:
    """Faults at work. Without any, `active` is False, and nobody need ask for more."""

    def __init__(
        self, faults: Faults | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.faults = faults or Faults()
        self.active = self.faults != Faults()
        self._now = now
        self._random = random.Random(self.faults.seed)
        seconds = self.faults.outage.seconds if self.faults.outage else None
        self.outage_ends = math.inf if seconds is None else now() + seconds
        self._tokens: dict[str, list[Outcome]] = {
            token: outcomes[::-1] if isinstance(outcomes, list) else [outcomes]
            for token, outcomes in self.faults.tokens.items()
        }

    def outage(self) -> str | None:
        """`refuse`, `unavailable` or `hang` while there is an outage."""
        outage = self.faults.outage
        return outage.kind if outage and self._now() < self.outage_ends else None

    def error(self, target: str) -> str | None:
        """FCM's error for a message to a token or fid (else empty), or None."""
        outcomes = self._tokens.get(target)
        if outcomes is not None:
            outcome = outcomes.pop() if len(outcomes) > 1 else outcomes[0]
            return None if outcome == "OK" else outcome
        if self.faults.errors:
            drawn = self._random.random()
            for code, share in self.faults.errors.items():
                drawn -= share
                if drawn < 0:
                    return code
        return None

    def token_error(self, token: str) -> str | None:
        """FCM's error for a token outside of a message; uses up nothing."""
        outcomes = self._tokens.get(token)
        return None if not outcomes or outcomes[-1] == "OK" else outcomes[-1]

    def delay(self) -> float:
        """Seconds until an answer."""
        match self.faults.latency:
            case Constant(ms=ms):
                return ms / 1000
            case Uniform(low_ms=low, high_ms=high):
                return self._random.uniform(low, high) / 1000
            case Lognormal(median_ms=median, sigma=sigma):
                drawn = median * math.exp(self._random.gauss(0, sigma))
                return min(drawn, LONGEST_MS) / 1000
        return 0.0

    def fate(self) -> Fate:
        """Of the answer to a message that was accepted."""
        lost = self.faults.lost_answers
        return lost.how if lost and self._random.random() < lost.share else "answer"

    def as_set(self) -> dict[str, Any]:
        """The faults, and for how long an outage still lasts."""
        told: dict[str, Any] = msgspec.to_builtins(self.faults)
        if self.faults.outage is not None:
            left = max(0.0, self.outage_ends - self._now())
            told["outage_seconds_left"] = None if math.isinf(left) else round(left, 3)
        return told
