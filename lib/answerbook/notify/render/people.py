"""Whom to notify and how: users, devices, preferences and templates, from PostgreSQL over JDBC.

They are read whole into Spark's memory and read anew from time to time, in a thread of its own; a
micro-batch takes what was last read and never waits for PostgreSQL. Where PostgreSQL does not
answer, what was read before is used further, and the log says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, expr, when

from answerbook.notify.render import metrics, sql
from answerbook.notify.running import log

USERS = """
    SELECT u.user_id, u.name, u.language, u.time_zone, u.quiet_from, u.quiet_until,
           p.off, d.device_ids, d.addresses, d.address_kinds
    FROM users u
    LEFT JOIN (SELECT user_id, array_agg(kind) AS off
               FROM preferences WHERE NOT enabled GROUP BY user_id) p USING (user_id)
    LEFT JOIN (SELECT user_id, array_agg(device_id) AS device_ids,
                      array_agg(address) AS addresses, array_agg(address_kind) AS address_kinds
               FROM devices WHERE pruned_at IS NULL GROUP BY user_id) d USING (user_id)
"""
TEMPLATES = "SELECT kind, language, title, body FROM templates"
CHANGES = "SELECT " + ", ".join(
    f"(SELECT row(count(*), sum(xmin::text::bigint))::text FROM {table}) AS {table}"
    for table in ("users", "devices", "preferences", "templates")
)
"""Other text after any change: `xmin` is the transaction that wrote a row. It costs PostgreSQL a
hundredth of what reading everything costs here."""
FETCH_ROWS = 5_000


@dataclass(frozen=True)
class Tables:
    """What one reading gave."""

    people: DataFrame
    """user_id, name, language, time_zone, quiet_from, quiet_until; off: kinds that are switched
    off; devices: device_id, address, address_kind."""
    templates: DataFrame
    """kind; texts: language → title and body, each cut at its placeholders."""
    users: int
    state: str
    """What CHANGES told just before."""

    def free(self) -> None:
        """Give up the memory; Spark would too, but only after a collection of garbage."""
        for table in (self.people, self.templates):
            plan: Any = table._jdf.queryExecution().logical()
            plan.rdd().unpersist(False)


class People:
    """The tables as they were last read, and the thread that reads them again."""

    def __init__(self, spark: SparkSession, database: str, refresh_seconds: float) -> None:
        self._spark = spark
        self._options = jdbc_options(database)
        self._seconds = refresh_seconds
        self._log = log()
        self._replaced: list[Tables] = []
        self._ended = Event()
        self._thread = Thread(target=self._refresh, name="people", daemon=True)
        self._latest: Tables | None = None

    def start(self, ended: Callable[[], bool]) -> None:
        """Read for the first time, as often as it takes until `ended`, then keep refreshing."""
        while self._latest is None and not ended():
            self._read("not yet: PostgreSQL is waited for")
            if self._latest is None:
                self._ended.wait(1)
        self._thread.start()

    def latest(self) -> Tables:
        """For the micro-batch that begins now; what only those before it used is given up."""
        while self._replaced:
            self._replaced.pop(0).free()
        assert self._latest is not None, "start() comes first"
        return self._latest

    def stop(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(1)

    def _refresh(self) -> None:
        while not self._ended.wait(self._seconds):
            self._read("what was read before is used further")

    def _read(self, otherwise: str) -> None:
        try:
            state = state_of(self._spark, self._options)
            if self._latest is not None and self._latest.state == state:
                metrics.READ_AT.set_to_current_time()
                return
            tables = read(self._spark, self._options)
        except Exception as error:  # noqa: BLE001 - PySpark raises what the JVM did
            if not self._ended.is_set():
                self._log.warning(
                    "users and templates were not read", why=_root(error), then=otherwise
                )
            return
        if self._latest is None:
            self._log.info("users and templates were read", users=tables.users)
        else:
            self._replaced.append(self._latest)
        self._latest = tables
        metrics.USERS.set(tables.users)
        metrics.READ_AT.set_to_current_time()


def state_of(spark: SparkSession, options: dict[str, str]) -> str:
    """Other text after any change in the tables. Raises as `read` does."""
    rows = spark.read.format("jdbc").options(**options).option("query", CHANGES).load()
    return str(rows.first())


def read(spark: SparkSession, options: dict[str, str]) -> Tables:
    """All tables, in memory. Raises what PySpark does where PostgreSQL does not answer."""
    state = state_of(spark, options)  # before the tables: a change in between is seen next time
    rows = spark.read.format("jdbc").options(**options)
    people = people_of(rows.option("query", USERS).load())
    templates = templates_of(rows.option("query", TEMPLATES).load())
    # A checkpoint, and not a cache: to Spark's planner it is one leaf, where a cache is all that it
    # was computed by, looked through again for every micro-batch. An executor that is lost takes
    # its part along; then the query ends, and whoever starts it again has it read again.
    # Parted and in order, as the join wants it.
    kept = people.repartition(col("user_id")).sortWithinPartitions("user_id").localCheckpoint()
    return Tables(kept, templates.coalesce(1).localCheckpoint(), kept.count(), state)


def people_of(users: DataFrame) -> DataFrame:
    """USERS as the query wants it. A time zone that Java does not know counts as UTC."""
    jvm: Any = users.sparkSession._jvm
    zones = jvm.java.lang.String.join(",", jvm.java.time.ZoneId.getAvailableZoneIds()).split(",")
    return users.select(
        *("user_id", "name", "language"),
        when(col("time_zone").isin(zones), col("time_zone")).otherwise("UTC").alias("time_zone"),
        *("quiet_from", "quiet_until"),
        expr("coalesce(off, array())").alias("off"),
        expr(
            "coalesce(transform(arrays_zip(device_ids, addresses, address_kinds), device -> "
            "named_struct('device_id', device.device_ids, 'address', device.addresses,"
            " 'address_kind', device.address_kinds)), array())"
        ).alias("devices"),
    )


def templates_of(templates: DataFrame) -> DataFrame:
    """TEMPLATES, a row for each kind."""
    return (
        templates.selectExpr(
            "kind",
            "language",
            f"named_struct('title', {sql.tokens('title')}, 'body', {sql.tokens('body')}) AS text",
        )
        .groupBy("kind")
        .agg(expr("map_from_entries(collect_list(struct(language, text)))").alias("texts"))
    )


def jdbc_options(database: str) -> dict[str, str]:
    """For Spark's JDBC source, of what libpq takes: an address or `key=value …`."""
    words = {key: str(value) for key, value in conninfo_to_dict(database).items()}
    hosts = words.pop("host", "127.0.0.1").split(",")
    ports = words.pop("port", "").split(",")
    places = ",".join(
        f"{host}:{port or 5432}"
        for host, port in zip(hosts, ports if len(ports) > 1 else ports * len(hosts), strict=True)
    )
    user, password = words.pop("user", ""), words.pop("password", "")
    name = quote(words.pop("dbname", user), safe="")
    options = {
        "url": f"jdbc:postgresql://{places}/{name}",
        "driver": "org.postgresql.Driver",
        "user": user,
        "password": password,
        "fetchsize": str(FETCH_ROWS),
        "connectTimeout": "5",
        "socketTimeout": "60",
        "ApplicationName": "answerbook-render",
    }
    return options | ({"sslmode": words["sslmode"]} if "sslmode" in words else {})


def _root(error: Exception) -> str:
    """The one line of a Java stack trace that tells the cause."""
    lines = str(error).splitlines()
    causes = [line for line in lines if line.startswith("Caused by: ")]
    return (causes or lines or [type(error).__name__])[-1].removeprefix("Caused by: ").strip()
