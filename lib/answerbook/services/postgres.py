"""PostgreSQL, as its clients see it: a conninfo string and a connection."""

from typing import Any, ClassVar
from urllib.parse import quote

import psycopg
from psycopg import sql

from answerbook.services.address import MaskedURL
from answerbook.services.contract import Service
from answerbook.services.errors import WrongPassword

USER = "answerbook"
DATABASE = "answerbook"


class Postgres(Service):
    """One server with one database. Any engine."""

    name = "postgres"
    usual_ports: ClassVar = {"postgres": "postgres_port"}

    @property
    def user(self) -> str:
        return USER

    @property
    def database(self) -> str:
        return DATABASE

    @property
    def password(self) -> str:
        return (self.settings.postgres_password or self.state.secret(self.name)).get_secret_value()

    @property
    def url(self) -> str:
        """What `psycopg.connect` takes, and Django's DATABASE_URL."""
        return MaskedURL(
            f"postgresql://{USER}:{quote(self.password, safe='')}"
            f"@{self.host}:{self.port}/{DATABASE}"
        )

    def url_of(self, database: str) -> str:
        """The address of another database of this server."""
        return MaskedURL(self.url.rpartition("/")[0] + f"/{quote(database, safe='')}")

    def connect(self, **options: Any) -> "psycopg.Connection[tuple[Any, ...]]":
        """`psycopg.connect` to this server."""
        return psycopg.connect(self.url, connect_timeout=5, **options)

    def round_trip(self) -> None:
        """A row written to a temporary table and read back."""
        with self.connect() as connection:
            connection.execute("CREATE TEMPORARY TABLE ready (answer text)")
            connection.execute("INSERT INTO ready VALUES ('yes')")
            row = connection.execute("SELECT answer FROM ready").fetchone()
            if row != ("yes",):
                raise ConnectionError(f"inserted 'yes', selected {row!r}")

    def ping(self) -> None:
        with self.connect() as connection:
            connection.execute("SELECT 1")

    def is_fatal(self, error: Exception) -> Exception | None:
        if not isinstance(error, psycopg.OperationalError):
            return None
        if "password authentication failed" not in str(error):
            return None
        given = self.settings.postgres_password is not None
        return WrongPassword.of(self.name, "PostgreSQL", from_environment=given)

    def create_database(self, name: str) -> str:
        """Make an empty database beside the usual one, replacing one of that name; its address."""
        with self.connect(autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url_of(name)

    def ensure_database(self, name: str) -> str:
        """Make an empty database beside the usual one unless it is there; its address."""
        with self.connect(autocommit=True) as connection:
            query = "SELECT FROM pg_database WHERE datname = %s"
            if connection.execute(query, (name,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url_of(name)
