"""The parts of the query, each a piece of Spark SQL over the columns that the one before it made.

Pure text: nothing here needs a session. job.py puts the parts in order. Columns, as they come:
value, partition, offset (of Kafka) → event, now, wrong → those of people, and texts → reason,
outcome, title, body → notifications → topic, key, value (for Kafka).
"""

from answerbook.notify import records

CLOCK = "CAST(java_method('java.lang.System', 'currentTimeMillis') AS BIGINT)"
"""Milliseconds since 1970 UTC. Not `current_timestamp()`: Spark puts that into the code it
compiles, so that each micro-batch would be compiled anew and never become fast."""

MOST_MESSAGE_BYTES = 4_096
"""FCM: of a message to a device."""
MOST_TOPIC_BYTES = 2_048
MOST_TTL_SECONDS = 2_419_200
NOW_OR_NEVER_SECONDS = 60
"""What an event of `ttl_seconds` 0 has until FCM gets it. To FCM, which is told 0, that means: now,
or not at all; to us on the way there it cannot, since every way takes time."""
MOST_NAME_BYTES = 1_024
"""Of an id, a kind, a topic: far more than the API lets in, and little enough to be repeated in
every record that is made of an event."""
MOST_PAYLOAD_BYTES = 600_000
"""Of a dead letter, so that it passes Kafka's limit of 1 MB for a record: of a longer one the
first bytes are kept."""

EVENT_SCHEMA = """
    run_id STRING, version BIGINT, event_id STRING, kind STRING, priority STRING,
    accepted_at BIGINT, occurred_at BIGINT, ttl_seconds BIGINT,
    user_id STRING, topic STRING, data MAP<STRING, STRING>, wrong STRING
"""
"""`records.Event`, and where the text is none, that text. A number in `data` is taken as it is
written; whatever else has a wrong type makes the record malformed."""

EVENT = f"""
    from_json(CAST(value AS STRING), '{" ".join(EVENT_SCHEMA.split())}',
              map('columnNameOfCorruptRecord', 'wrong', 'allowSingleQuotes', 'false'))
"""


def is_name(field: str) -> str:
    return f"octet_length(event.{field}) BETWEEN 1 AND {MOST_NAME_BYTES}"


CONDITIONS = {
    "no JSON object, or a field of the wrong type": "event.wrong IS NULL",
    "run_id": is_name("run_id"),
    "event_id": is_name("event_id"),
    "kind": is_name("kind"),
    "priority": "event.priority IN ('high', 'normal')",
    "accepted_at": "event.accepted_at >= 0",
    "occurred_at": "event.occurred_at IS NOT NULL",
    "ttl_seconds": f"event.ttl_seconds BETWEEN 0 AND {MOST_TTL_SECONDS}",
    "exactly one of user_id and topic": f"""
        CASE WHEN event.topic IS NULL THEN {is_name("user_id")}
             ELSE event.user_id IS NULL AND {is_name("topic")} END""",
    "data": "event.data IS NULL OR NOT exists(map_values(event.data), text -> text IS NULL)",
}
"""What makes a record an event; their names tell in a dead letter what was wrong."""

WRONG = "filter(array({}), what -> what IS NOT NULL)".format(
    ", ".join(
        f"IF(coalesce({condition}, false), NULL, '{name}')"
        for name, condition in CONDITIONS.items()
    )
)
"""What is wrong with a record, in words; nothing with an event."""

EXPIRES_AT = f"""
    event.accepted_at + 1000 * IF(event.ttl_seconds = 0, {NOW_OR_NEVER_SECONDS}, event.ttl_seconds)
"""

LOCAL = "from_utc_timestamp(timestamp_millis(now), time_zone)"
"""What a clock says where the user is."""

MINUTE = "hour(local) * 60 + minute(local)"
"""Of the day, there."""

IS_QUIET = """
    CASE WHEN quiet_from <= quiet_until
         THEN minute >= quiet_from AND minute < quiet_until
         ELSE minute >= quiet_from OR minute < quiet_until END
"""
"""From `quiet_from` until before `quiet_until`; past midnight where it begins later than it ends.
NULL, which is no, without quiet hours."""

REASON = f"""
    CASE WHEN event.version > {records.VERSION} THEN 'unsupported_version'
         WHEN size(wrong) > 0 THEN 'malformed'
         WHEN now > expires_at THEN 'expired'
         WHEN event.topic IS NULL AND user_id IS NULL THEN 'unknown_user'
         WHEN array_contains(off, event.kind) THEN 'preference'
         WHEN event.priority = 'normal' AND ({IS_QUIET}) THEN 'quiet_hours'
         WHEN event.topic IS NULL AND size(devices) = 0 THEN 'no_device'
         WHEN text IS NULL THEN 'no_template'
    END
"""
"""Why an event is not expanded, a word of `records.REASONS`; NULL where it is. Of several reasons,
the first."""

OUTCOME = """
    CASE WHEN reason IS NULL THEN 'expanded'
         WHEN reason = 'expired' THEN 'expired'
         WHEN reason IN ('preference', 'quiet_hours', 'no_device') THEN 'suppressed'
         ELSE 'dead' END
"""

TEXT = "coalesce(texts[language], texts['en'])"
"""The template of the event's kind in the user's language."""


def tokens(template: str) -> str:
    """A template cut at its placeholders: an array of (text, word), one of which is NULL.

    Cutting it once, and not replacing word by word, keeps a `{word}` within a user's own data as
    it is.
    """
    return f"""
        transform(regexp_extract_all({template}, r'(\\{{[^{{}}\\s]+\\}}|[^{{]+|\\{{)', 1),
            part -> named_struct(
                'text', IF(part RLIKE r'^\\{{[^{{}}\\s]+\\}}$', NULL, part),
                'word', IF(part RLIKE r'^\\{{[^{{}}\\s]+\\}}$',
                           substring(part, 2, length(part) - 2), NULL)))"""


def filled(template: str) -> str:
    """A template with its placeholders filled: {name} the user's, {word} of the event's data.

    A word that nobody knows becomes empty.
    """
    return f"""
        array_join(transform({template}, part -> coalesce(part.text, CASE part.word
            WHEN 'name' THEN name ELSE event.data[part.word] END, '')), '')"""


TARGETS = """
    IF(event.topic IS NULL, devices, array(named_struct(
        'device_id', concat('topic:', event.topic),
        'address', event.topic, 'address_kind', 'topic')))
"""

NOTIFICATION_ID = """
    left(sha2(concat_ws('|', event.event_id, coalesce(event.user_id, ''), target.device_id), 256),
         32)
"""
"""`records.notification_id`."""

MESSAGE = """
    to_json(named_struct(
        'token', IF(target.address_kind = 'token', target.address, NULL),
        'fid', IF(target.address_kind = 'fid', target.address, NULL),
        'topic', IF(target.address_kind = 'topic', target.address, NULL),
        'notification', named_struct('title', title, 'body', body),
        'data', map_concat(coalesce(event.data, map()), map(
            'notification_id', target.id, 'event_id', event.event_id, 'run_id', event.run_id)),
        'android', named_struct(
            'priority', upper(event.priority),
            'ttl', concat(event.ttl_seconds, 's'),
            'collapse_key', IF(event.priority = 'normal', event.kind, NULL)),
        'apns', named_struct('headers', named_struct(
            'apns-priority', IF(event.priority = 'high', '10', '5'),
            'apns-expiration', IF(event.ttl_seconds = 0, '0',
                CAST(expires_at DIV 1000 AS STRING))))))
"""
"""FCM's `message`."""

NOTIFICATIONS = f"""
    IF(reason IS NULL,
       transform(transform({TARGETS},
           target -> named_struct('id', {NOTIFICATION_ID}, 'device_id', target.device_id,
                                  'address', target.address,
                                  'address_kind', target.address_kind)),
           target -> named_struct('id', target.id, 'device_id', target.device_id,
                                  'message', {MESSAGE})),
       array())
"""

MOST_BYTES = f"IF(event.topic IS NULL, {MOST_MESSAGE_BYTES}, {MOST_TOPIC_BYTES})"
TOO_LARGE = "filter(notifications, made -> octet_length(made.message) > most_bytes)"
"""Those that FCM would refuse."""


def _record(topic: str, key: str, value: str) -> str:
    return f"named_struct('topic', {topic}, 'key', {key}, 'value', {value})"


def _json(**fields: str) -> str:
    """An object of these expressions; those that are NULL are left out of it."""
    pairs = ", ".join(f"'{name}', {of}" for name, of in fields.items())
    return f"to_json(named_struct({pairs}))"


NOTIFICATION_RECORD = _record(
    "concat('notifications.', event.priority)",
    "made.device_id",
    "concat('{\"message\":', made.message, ',', substring("
    + _json(
        run_id="event.run_id",
        notification_id="made.id",
        event_id="event.event_id",
        device_id="made.device_id",
        kind="event.kind",
        priority="event.priority",
        accepted_at="event.accepted_at",
        rendered_at="now",
        expires_at="expires_at",
    )
    + ", 2))",
)
"""The message is JSON already and is put into the rest by hand."""

TOO_LARGE_RECEIPT = _record(
    f"'{records.RECEIPTS_NOTIFICATIONS}'",
    "made.id",
    _json(
        run_id="event.run_id",
        notification_id="made.id",
        event_id="event.event_id",
        device_id="made.device_id",
        outcome="'dead'",
        reason="'too_large'",
        at="now",
        accepted_at="event.accepted_at",
        rendered_at="now",
    ),
)

RECEIPT = _record(
    f"'{records.RECEIPTS_EVENTS}'",
    "event.event_id",
    _json(
        run_id="event.run_id",
        event_id="event.event_id",
        outcome="outcome",
        reason="reason",
        at="now",
        accepted_at="event.accepted_at",
        notifications="IF(reason IS NULL, notifications.id, NULL)",
        user_id="event.user_id",
        topic="event.topic",
    ),
)
"""Of a malformed event too, where it tells its run and its id."""


def _dead_letter(reason: str, detail: str, notification_id: str = "NULL") -> str:
    return _record(
        f"'{records.DEAD_LETTERS}'",
        f"coalesce({notification_id}, named_event)",
        _json(
            run_id="coalesce(named_run, '')",
            stage="'render'",
            reason=reason,
            at="now",
            detail=detail,
            event_id="named_event",
            notification_id=notification_id,
            source_topic=f"'{records.EVENTS}'",
            source_partition="partition",
            source_offset="offset",
            payload="IF(is_text, CAST(value AS STRING), "
            f"base64(substring(value, 1, {MOST_PAYLOAD_BYTES})))",
            encoding="IF(is_text, 'utf-8', 'base64')",
        ),
    )


IS_TEXT = f"""
    IF(outcome = 'dead' OR size(too_large) > 0,
       is_valid_utf8(CAST(value AS STRING))
       AND octet_length(to_json(map('', CAST(value AS STRING)))) <= {MOST_PAYLOAD_BYTES},
       NULL)
"""
"""Whether a dead letter holds the record as it is: text, and not too long once it is quoted."""

_CUT = f"""IF(octet_length(value) > {MOST_PAYLOAD_BYTES}, concat('; of ', octet_length(value),
           ' bytes the first {MOST_PAYLOAD_BYTES}'), '')"""

_TOO_LARGE = _dead_letter(
    "'too_large'", "concat('the message has ', octet_length(made.message), ' bytes')", "made.id"
)
_WHAT = "IF(size(wrong) > 0, concat('missing or wrong: ', concat_ws('; ', wrong)), '')"
_DEAD = _dead_letter("reason", f"nullif(concat({_WHAT}, {_CUT}), '')")

RECORDS = f"""
    concat(transform(filter(notifications, made -> octet_length(made.message) <= most_bytes),
                     made -> {NOTIFICATION_RECORD}),
           transform(too_large, made -> {TOO_LARGE_RECEIPT}),
           transform(too_large, made -> {_TOO_LARGE}),
           IF(named_run IS NULL OR named_event IS NULL, array(), array({RECEIPT})),
           IF(outcome = 'dead', array({_DEAD}), array()))
"""
"""All that becomes of an event, so that one write takes it: the micro-batch is computed once."""
