"""Events to send: the n-th of a run is always the same, whoever makes it and however often.

So a request whose answer was lost is repeated with the same ids, and what a run consists of can be
said afterwards from its numbers alone. Used by the Locust file and the fast sender, which send
what `json` gives; written as text, since encoding objects would be half of a sender's work.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

USERS: Final = 20_000
"""As many as the store has in the study profile: u000001, u000002 and so on."""
DATA: Final = {
    "order_shipped": '{{"order":"A-{n}"}}',
    "payment_received": '{{"order":"A-{n}","amount":"{m}.50 EUR"}}',
    "price_drop": '{{"item":"lamp {m}","amount":"{m}.90 EUR"}}',
    "friend_request": '{{"friend":"user {m}"}}',
    "security_alert": '{{"place":"city {m}"}}',
    "news": '{{"headline":"Headline {m}","summary":"What event {n} was about"}}',
}
"""Kind → its data: the words that the seeder's templates want. `n` is the event's number, `m` a
number below a thousand."""
KINDS: Final = tuple(DATA)
TOPICS: Final = ("news", "offers", "releases")
"""What the seeder's users subscribe to."""
TTL_SECONDS: Final = 3_600

_MILLION: Final = 1_000_000
_WORD: Final = (1 << 64) - 1
_MALFORMED: Final = (
    '{{"event_id":"{id}","kind":"news"}}',
    '{{"event_id":"{id}","kind":"news","user_id":"u000001","topic":"news"}}',
    '{{"event_id":"{id}","kind":"","user_id":"u000001"}}',
    '{{"event_id":"{id}","kind":"news","user_id":"u000001","priority":"urgent"}}',
    '{{"event_id":"{id}","kind":"news","user_id":"u000001","ttl_seconds":-1}}',
    '{{"event_id":"{id}","kind":"news","user_id":"u000001","data":{{"n":{{}}}}}}',
    '["{id}"]',
)
_LARGE: Final = ",".join(f'"part{part}":"{"x" * 1_000}"' for part in range(5))


@dataclass(frozen=True)
class Events:
    """The events of a run. Shares are of 1: 0.1 is a tenth; they are met on average."""

    run_id: str
    users: int = USERS
    seed: int = 0
    high: float = 0.1
    """Share of high priority."""
    to_topics: float = 0.001
    """Share that goes to a topic in place of a user."""
    malformed: float = 0.0
    """Share that the API must refuse, each with 422."""
    poison: float = 0.0
    """Share that the API accepts and that render cannot make into what FCM takes: of a kind
    without a template, for a user who is not there, or with data past FCM's 4,096 bytes."""
    _salt: int = field(init=False, repr=False, default=0)

    def __post_init__(self) -> None:
        """Raises ValueError for shares that are none, and for a run without users."""
        shares = (self.high, self.to_topics, self.malformed, self.poison)
        if any(not 0 <= share <= 1 for share in shares) or self.malformed + self.poison > 1:
            raise ValueError("A share lies between 0 and 1, and malformed with poison, too.")
        if self.users < 1:
            raise ValueError("There must be at least one user.")
        object.__setattr__(self, "_salt", _mixed(self.seed))

    def event_id(self, number: int) -> str:
        """What the caller calls its event; the API puts the key's id before it."""
        return f"{self.run_id}-{number}"

    def json(self, number: int, occurred_at: str) -> str:
        """The event as the API takes it; `occurred_at` as `stamp` gives it."""
        chance = _mixed(number ^ self._salt)
        user = (chance >> 20) % self.users + 1
        # Six decimal digits are taken for each decision.
        odd, chance = chance % _MILLION, chance // _MILLION
        if odd < (self.malformed + self.poison) * _MILLION:
            return self._odd(number, odd, occurred_at)
        urgent, chance = chance % _MILLION, chance // _MILLION
        to_topic, chance = chance % _MILLION, chance // _MILLION
        who = (
            f'"topic":"{TOPICS[number % len(TOPICS)]}"'
            if to_topic < self.to_topics * _MILLION
            else f'"user_id":"u{user:06d}"'
        )
        kind = KINDS[urgent % len(KINDS)]
        priority = "high" if urgent < self.high * _MILLION else "normal"
        return (
            f'{{"event_id":"{self.run_id}-{number}",{who},"kind":"{kind}","priority":"{priority}",'
            f'"occurred_at":"{occurred_at}","ttl_seconds":{TTL_SECONDS},'
            f'"data":{DATA[kind].format(n=number, m=user % 1_000)}}}'
        )

    def batch(self, numbers: Iterable[int], occurred_at: str) -> bytes:
        """Several events as one JSON array."""
        json = self.json
        return ("[" + ",".join([json(number, occurred_at) for number in numbers]) + "]").encode()

    def _odd(self, number: int, chance: int, occurred_at: str) -> str:
        name = self.event_id(number)
        if chance < self.malformed * _MILLION:
            return _MALFORMED[number % len(_MALFORMED)].format(id=name)
        user, kind, data = (
            ("u000001", "no-such-kind", ""),
            ("nobody", "news", ""),
            ("u000001", "news", _LARGE),
        )[number % 3]
        return (
            f'{{"event_id":"{name}","user_id":"{user}","kind":"{kind}","priority":"high",'
            f'"occurred_at":"{occurred_at}","ttl_seconds":{TTL_SECONDS},"data":{{{data}}}}}'
        )


def new_run_id(what: str) -> str:
    """A name for a run that no other has: what it is, the time, and four random digits."""
    return f"{what}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def stamp(milliseconds: int) -> str:
    """A time since 1970 as RFC 3339 writes it, which the API reads."""
    instant = datetime.fromtimestamp(milliseconds / 1_000, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _mixed(number: int) -> int:
    """64 bits that look random and are the same for the same number (splitmix64, Steele 2014)."""
    number = (number * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15) & _WORD
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _WORD
    return number ^ (number >> 31)
