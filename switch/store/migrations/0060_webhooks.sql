-- Webhooks of partners: where they are told of what happened, what they are told, and how each try went. Ordinary SQL
-- of the management service.

CREATE TABLE webhook_endpoint (
    id              int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id       uuid        NOT NULL UNIQUE,
    partner_id      int8        NOT NULL,
    url             text        NOT NULL,
    description     text        NOT NULL,
    -- Of what it is told.
    kinds           text[]      NOT NULL,
    -- ENABLED, DISABLED
    state           text        NOT NULL,
    -- Why it is disabled: ASKED, GONE, BACKLOG
    disabled_why    text,
    -- Sealed under the key of webhooks, and bound to this row.
    secret          bytea       NOT NULL,
    -- The secret of before a rotation, which signs as well until then.
    previous_secret bytea,
    previous_until  timestamptz,
    -- The digest of the request that rotated it last, so that a repeat does not rotate again.
    rotated_under   bytea       CHECK (length(rotated_under) = 16),
    -- Tries in a row that failed.
    failures        int4        NOT NULL DEFAULT 0,
    -- It asked for a pause.
    paused_until    timestamptz,
    -- Counts changes: who changes it names what it has seen.
    version         int8        NOT NULL DEFAULT 1,
    -- The digest of the request that made it, under which a repeat finds it.
    made_under      bytea       NOT NULL UNIQUE CHECK (length(made_under) = 16),
    created_at      timestamptz NOT NULL,
    removed_at      timestamptz,
    CHECK ((state = 'DISABLED') = (disabled_why IS NOT NULL))
);
CREATE INDEX webhook_endpoint_of ON webhook_endpoint (partner_id, id) WHERE removed_at IS NULL;

CREATE TABLE webhook_message (
    -- In the order in which they are told.
    id           int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- `webhook-id`: the same with each try.
    public_id    uuid        NOT NULL UNIQUE,
    endpoint_id  int8        NOT NULL REFERENCES webhook_endpoint,
    kind         text        NOT NULL,
    -- Those of one key go one after the other.
    ordering_key text        NOT NULL,
    body         text        NOT NULL,
    made_at      timestamptz NOT NULL,
    -- WAITING, DELIVERED, FAILED
    state        text        NOT NULL DEFAULT 'WAITING',
    -- False once it was asked for again: then it goes by itself, before or behind others.
    in_order     bool        NOT NULL DEFAULT true,
    -- All tries, and those of the schedule that it is in.
    attempts     int4        NOT NULL DEFAULT 0,
    tries        int4        NOT NULL DEFAULT 0,
    next_at      timestamptz NOT NULL,
    ended_at     timestamptz
);
CREATE INDEX webhook_message_due ON webhook_message (endpoint_id, next_at)
    WHERE state = 'WAITING';
CREATE INDEX webhook_message_order ON webhook_message (endpoint_id, ordering_key, id)
    WHERE state = 'WAITING' AND in_order;
CREATE INDEX webhook_message_of ON webhook_message (endpoint_id, id);
CREATE INDEX webhook_message_ended ON webhook_message (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE webhook_attempt (
    message_id  int8        NOT NULL REFERENCES webhook_message ON DELETE CASCADE,
    number      int4        NOT NULL,
    at          timestamptz NOT NULL,
    -- delivered, status, redirect, gone, late, refused_address, unreached
    outcome     text        NOT NULL,
    -- HTTP status, where there was one.
    status      int2,
    duration_ms int4        NOT NULL,
    -- The start of the answer.
    answer      text        NOT NULL,
    PRIMARY KEY (message_id, number)
);

-- Up to which row of each shard's journal messages were made. Rows are here while there are endpoints alone; the
-- journal is not archived past them.
CREATE TABLE webhook_feed (
    shard int4 PRIMARY KEY,
    seq   int8 NOT NULL
);
