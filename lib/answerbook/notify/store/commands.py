"""`answerbook notify schema|seed|key|keys`: what an operator does with the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from answerbook.config import NotifySettings

if TYPE_CHECKING:
    import psycopg

app = typer.Typer()


@app.command()
def key(
    key_id: Annotated[str, typer.Argument(help="1 to 32 of a-z, 0-9 and the hyphen.")],
    rate: Annotated[int, typer.Option(help="Events a second that it may send.")] = 1_000,
    revoke: Annotated[bool, typer.Option("--revoke", help="Refuse it from now on.")] = False,
) -> None:
    """Make a key for the API and show it, once; or revoke it."""
    from answerbook.notify.store.keys import NoSuchKey, create_key, revoke_key

    with _key_store() as connection:
        try:
            if revoke:
                revoke_key(connection, key_id)
                typer.echo(f"Revoked {key_id}; the API refuses it within seconds.", err=True)
            else:
                typer.echo(create_key(connection, key_id, rate))
        except (NoSuchKey, ValueError) as error:
            _refuse(str(error))


@app.command()
def keys() -> None:
    """List the API's keys."""
    from answerbook.notify.store.keys import list_keys

    with _key_store() as connection:
        for listed in list_keys(connection):
            state = f"revoked {listed.revoked_at:%Y-%m-%d}" if listed.revoked_at else "valid"
            typer.echo(f"{listed.key_id}  {listed.events_per_second} events/s  {state}")


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


@app.command()
def schema() -> None:
    """Make the store's tables, those that are not there."""
    from answerbook.notify.store.schema import apply

    with _database_errors():
        changed = apply(NotifySettings.load().database.get_secret_value())
    typer.echo("Made the tables." if changed else "All tables are there.")


@app.command()
def seed(
    users: Annotated[int, typer.Option(min=1, help="How many; replaces another number.")] = 100_000,
) -> None:
    """Fill the store with invented users, the same ones each time."""
    from tqdm import tqdm

    from answerbook.notify.store.seed import seed

    with _database_errors(), tqdm(total=users, unit="users", leave=False) as bar:

        def written(count: int) -> None:
            bar.update(count - bar.n)

        seeded = seed(NotifySettings.load().database.get_secret_value(), users, written)
    typer.echo(
        f"{'Made' if seeded.changed else 'All there'}: {seeded.users:,} users"
        f" with {seeded.devices:,} devices."
    )


@contextmanager
def _key_store() -> Iterator["psycopg.Connection[Any]"]:
    import psycopg

    with (
        _database_errors(),
        psycopg.connect(NotifySettings.load().database.get_secret_value()) as connection,
    ):
        yield connection


@contextmanager
def _database_errors() -> Iterator[None]:
    """What is wrong with the store ends the command in a sentence."""
    import psycopg

    try:
        yield
    except psycopg.errors.UndefinedTable:
        _refuse("The database has no tables yet. Make them: `answerbook notify schema`.")
    except psycopg.OperationalError as error:
        _refuse(f"PostgreSQL does not answer at ANSWERBOOK_NOTIFY_DATABASE: {error}")
