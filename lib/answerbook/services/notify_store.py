"""What the programs find there when they start: topics, tables, users and a key.

Made with the commands of an operator, `answerbook notify topics`, `schema` and `seed`, so that
what a notebook runs on is what production runs on. notify_system.py calls this.
"""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

from answerbook.config import NotifySettings
from answerbook.services.native import processes
from answerbook.services.native.launch import Launch
from answerbook.services.notify import PREFIX, Needs
from answerbook.services.postgres import Postgres
from answerbook.services.state import StateFolder

API_KEY_ID = "answerbook"
API_KEY_RATE = 1_000_000
"""Events a second: a load test on one machine is not to be held back by its key."""


def prepare_topics(needs: Needs, state: StateFolder) -> None:
    """Make the topics that are not there. Raises StartFailed."""
    variables = {f"{PREFIX}KAFKA": needs.kafka.url}
    variables[f"{PREFIX}REPLICATION"] = str(needs.kafka.replication)
    _run(state, variables, "topics")


def prepare_store(needs: Needs, state: StateFolder, users: int, secret: str) -> None:
    """Make the tables, at least `users` users, and let the key with `secret` in.

    Raises StartFailed.
    """
    variables = {f"{PREFIX}DATABASE": str(needs.postgres.url)}
    _run(state, variables, "schema")
    if _users(needs.postgres) < users:  # more are kept: a notebook may ask for fewer than were made
        _run(state, variables, "seed", "--users", str(users))
    _let_in(needs.postgres, secret)


def token(secret: str) -> str:
    """What a caller of the API sends as `Authorization: Bearer …`."""
    return f"ab_{API_KEY_ID}_{secret}"


def _users(postgres: Postgres) -> int:
    with postgres.connect() as connection:
        row = connection.execute("SELECT count(*) FROM users").fetchone()
    return int(row[0]) if row else 0


def _let_in(postgres: Postgres, secret: str) -> None:
    """As `answerbook notify key` does, but with a secret that is kept, in a store made anew too."""
    with postgres.connect() as connection:
        connection.execute(
            "INSERT INTO api_keys (key_id, secret_hash, events_per_second) VALUES (%s, %s, %s)"
            " ON CONFLICT (key_id) DO UPDATE SET secret_hash = excluded.secret_hash,"
            " events_per_second = excluded.events_per_second, revoked_at = NULL",
            (API_KEY_ID, hashlib.sha256(secret.encode()).digest(), API_KEY_RATE),
        )


def _run(state: StateFolder, variables: Mapping[str, str], *words: str) -> None:
    folder: Path = state.service_folder("notify")
    launch = Launch(
        f"`answerbook notify {words[0]}`",
        [sys.executable, "-m", "answerbook", "notify", *words],
        folder,
        {**NotifySettings.given(), **variables},
    )
    processes.run(launch, f"{state.path.resolve()}:notify")
