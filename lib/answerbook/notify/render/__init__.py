"""Render: events in, notifications out, with Spark Structured Streaming.

    job.py      the query: `rendered(events, people, templates)`, and how it runs on a stream
    sql.py      its parts, as Spark SQL
    people.py   users, devices, preferences and templates, from PostgreSQL, refreshed while it runs
    session.py  Spark in a JVM of this process's own
    offsets.py  whose checkpoint it is, and the consumer group that shows how far it is
    listener.py what a query tells after each batch: metrics, offsets, its end
    program.py  `answerbook notify render`

What a reader of its output has to know:

- Every event ends in exactly one receipt: `expanded`, `suppressed` (preference, quiet_hours,
  no_device), `expired`, or `dead` (malformed, unsupported_version, unknown_user, no_template). A
  dead one is written whole to `dead-letters` too; where a malformed record carries no ids, that is
  its only trace. A user whom nobody knows is dead and not suppressed, because someone made an
  error; a user without a device is in order.
- A notification that passes FCM's size is among those that its event was expanded into, and ends
  here: a receipt `dead` (too_large) and a dead letter. Nothing of it was sent, so that the receipt
  is partitioned by its key like any other record.
- An event to a topic goes to whoever subscribed at FCM: no person's preferences or quiet hours are
  looked at, its template is the English one, and {name} is empty.
- Spark writes to Kafka at least once: what was under way when it died is written again. A replay
  has the same `notification_id`, and the same goes for the receipts' keys, so that those who read
  them see that they know it already.
"""
