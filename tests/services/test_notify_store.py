"""The store's tables and invented people, in a live PostgreSQL."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from answerbook import services
from answerbook.cli import app
from answerbook.notify.store import people, schema
from answerbook.notify.store.seed import seed

NewDatabase = Callable[[], str]
TABLES = ("users", "devices", "preferences", "topic_subscriptions", "templates")


@pytest.fixture
def new_database() -> Iterator[NewDatabase]:
    """Makes empty databases, which are gone after the test."""
    postgres = services.require("postgres")
    made = []

    def new() -> str:
        made.append(f"store_{uuid4().hex}")
        return postgres.create_database(made[-1])

    yield new
    with postgres.connect(autocommit=True) as connection:
        for name in made:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


@pytest.fixture
def database(new_database: NewDatabase) -> str:
    """The address of a database with the tables, empty."""
    address = new_database()
    schema.apply(address)
    return address


def digests(address: str) -> dict[str, str]:
    """Table → digest of all its rows."""
    with psycopg.connect(address) as connection:
        return {
            table: hashlib.sha256(
                "\n".join(
                    row
                    for (row,) in connection.execute(
                        sql.SQL('SELECT t::text FROM {} t ORDER BY t::text COLLATE "C"').format(
                            sql.Identifier(table)
                        )
                    )
                ).encode()
            ).hexdigest()
            for table in TABLES
        }


def test_schema_is_made_once_however_many_apply_it_at_once(new_database: NewDatabase) -> None:
    address = new_database()
    with ThreadPoolExecutor(8) as threads:
        changed = list(threads.map(schema.apply, [address] * 8))

    assert 1 == changed.count(True)
    with psycopg.connect(address) as connection:
        for table in (*TABLES, "api_keys", "event_outcomes", "notification_outcomes"):
            connection.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(table)))


def test_applying_the_schema_again_does_not_wait_for_who_writes(database: str) -> None:
    with psycopg.connect(database) as writer:
        writer.execute("LOCK TABLE devices, notification_outcomes IN ROW EXCLUSIVE MODE")
        assert not schema.apply(database)


def test_the_same_people_come_out_byte_for_byte(new_database: NewDatabase) -> None:
    addresses = [new_database(), new_database()]
    for address in addresses:
        schema.apply(address)
        assert seed(address, 7_000).changed

    first, second = map(digests, addresses)
    assert first == second
    assert len(TABLES) == len(set(first.values()))


def test_seeding_again_changes_nothing_and_another_number_replaces(database: str) -> None:
    seed(database, 3_000)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE devices SET pruned_at = now() WHERE device_id = 'u000001-1'")
        connection.execute("INSERT INTO users (user_id, name) VALUES ('someone', 'Not invented')")

    again = seed(database, 3_000)
    assert (False, 3_000) == (again.changed, again.users)
    with psycopg.connect(database) as connection:
        assert people.devices(connection, "u000001")[0].pruned_at

    other = seed(database, 1_000)
    assert (True, 1_000) == (other.changed, other.users)
    with psycopg.connect(database) as connection:
        assert not people.devices(connection, "u000001")[0].pruned_at
        assert "Not invented" == people.user(connection, "someone").name
        with pytest.raises(LookupError, match="no user u001001"):
            people.user(connection, "u001001")


def test_who_reads_while_people_are_replaced_sees_the_old_ones_whole(database: str) -> None:
    seed(database, 6_000)
    seen: list[int] = []
    with psycopg.connect(database, autocommit=True) as reader:

        def look(_written: int) -> None:
            row = reader.execute("SELECT count(*) FROM users").fetchone()
            seen.append(row[0] if row else 0)

        seed(database, 7_000, look)
        assert [6_000, 6_000] == seen
        look(0)
    assert 7_000 == seen[-1]


def test_subscriptions_name_every_device_that_is_there(database: str) -> None:
    seed(database, 2_000)
    with psycopg.connect(database) as connection:
        before = set(people.subscriptions(connection))
        (user_id, topic) = connection.execute(
            "SELECT user_id, topic FROM topic_subscriptions ORDER BY user_id, topic LIMIT 1"
        ).fetchone() or ("", "")
        user = people.user(connection, user_id)
        assert topic in user.topics
        addresses = {(device.address, topic) for device in user.devices}
        assert addresses <= before

        connection.execute("UPDATE devices SET pruned_at = now() WHERE user_id = %s", [user_id])
        assert not addresses & set(people.subscriptions(connection))


def test_commands_say_what_they_made(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = new_database()
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_DATABASE", address)
    run = CliRunner()

    early = run.invoke(app, ["notify", "seed", "--users", "500"])
    assert (1, True) == (early.exit_code, "answerbook notify schema" in early.stderr)
    assert "Made the tables.\n" == run.invoke(app, ["notify", "schema"]).stdout
    assert "All tables are there.\n" == run.invoke(app, ["notify", "schema"]).stdout
    made = run.invoke(app, ["notify", "seed", "--users", "500"]).stdout
    assert made.startswith("Made: 500 users with ")
    again = run.invoke(app, ["notify", "seed", "--users", "500"]).stdout
    assert made.replace("Made", "All there") == again


def test_command_names_the_setting_when_postgresql_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANSWERBOOK_NOTIFY_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
    result = CliRunner().invoke(app, ["notify", "schema"])

    assert 1 == result.exit_code
    assert "ANSWERBOOK_NOTIFY_DATABASE" in result.stderr
