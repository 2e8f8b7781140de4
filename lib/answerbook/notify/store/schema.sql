-- The store of the notification system. Applied by `answerbook notify schema`, as often as one likes.

CREATE TABLE IF NOT EXISTS api_keys (
    key_id        text PRIMARY KEY CHECK (key_id ~ '^[a-z0-9-]{1,32}$'),
    secret_hash   bytea NOT NULL CHECK (length(secret_hash) = 32),  -- SHA-256: the secret is random
    events_per_second integer NOT NULL CHECK (events_per_second > 0),
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz
);

CREATE TABLE IF NOT EXISTS users (
    user_id       text PRIMARY KEY,
    name          text NOT NULL,
    language      text NOT NULL DEFAULT 'en',
    time_zone     text NOT NULL DEFAULT 'UTC',      -- an IANA name
    quiet_from    smallint CHECK (quiet_from BETWEEN 0 AND 1439),   -- minute of the local day
    quiet_until   smallint CHECK (quiet_until BETWEEN 0 AND 1439),  -- before quiet_from: past midnight
    CHECK ((quiet_from IS NULL) = (quiet_until IS NULL))
);

CREATE TABLE IF NOT EXISTS devices (
    device_id     text PRIMARY KEY,
    user_id       text NOT NULL REFERENCES users ON DELETE CASCADE,
    address       text NOT NULL,                    -- what FCM knows it by
    address_kind  text NOT NULL DEFAULT 'token' CHECK (address_kind IN ('token', 'fid')),
    platform      text NOT NULL CHECK (platform IN ('android', 'ios', 'web')),
    last_seen     timestamptz NOT NULL DEFAULT now(),
    pruned_at     timestamptz,                      -- FCM said that it is gone
    pruned_reason text
);
CREATE INDEX IF NOT EXISTS devices_user ON devices (user_id);

CREATE TABLE IF NOT EXISTS topic_subscriptions (
    user_id       text NOT NULL REFERENCES users ON DELETE CASCADE,
    topic         text NOT NULL CHECK (topic ~ '^[a-zA-Z0-9_.~%-]+$' AND length(topic) <= 900),
    PRIMARY KEY (user_id, topic)
);

CREATE TABLE IF NOT EXISTS preferences (
    user_id       text NOT NULL REFERENCES users ON DELETE CASCADE,
    kind          text NOT NULL,
    enabled       boolean NOT NULL,                 -- no row: enabled
    PRIMARY KEY (user_id, kind)
);

CREATE TABLE IF NOT EXISTS templates (
    kind          text NOT NULL,
    language      text NOT NULL,                    -- 'en' is the one to fall back on
    title         text NOT NULL,                    -- {name} is the user's, {word} is data.word
    body          text NOT NULL,
    PRIMARY KEY (kind, language)
);

-- What `track` writes. An outcome is written once for each id, and only a better one replaces it:
-- sent or expanded, then suppressed, expired, dead. So a replay may improve `dead`.
CREATE TABLE IF NOT EXISTS event_outcomes (
    event_id      text PRIMARY KEY,
    run_id        text NOT NULL,
    outcome       text NOT NULL,
    reason        text NOT NULL DEFAULT '',
    notifications text[] NOT NULL DEFAULT '{}',
    accepted_at   timestamptz,
    at            timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS notification_outcomes (
    notification_id text PRIMARY KEY,
    event_id      text NOT NULL,
    run_id        text NOT NULL,
    device_id     text NOT NULL,
    outcome       text NOT NULL,
    reason        text NOT NULL DEFAULT '',
    attempt       integer NOT NULL,
    replay        integer NOT NULL,
    message_name  text NOT NULL DEFAULT '',
    accepted_at   timestamptz,
    rendered_at   timestamptz,
    at            timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS notification_outcomes_event ON notification_outcomes (event_id);
