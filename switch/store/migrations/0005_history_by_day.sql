-- History by day: what happened is kept in partitions of one UTC day each, so that what has been
-- kept long enough leaves by dropping a table and never by deleting rows. Rows that move often
-- (balances, approvals of cards, shares of pools) get a watermark of their own (W-23).

-- Up to which journal row balance.ledger, balance.held, card.approvals and pool_share reflect
-- everything. Behind `seq`; what lies between is read from the journal at load.
ALTER TABLE projection ADD COLUMN flushed int8 NOT NULL DEFAULT -1;
UPDATE projection SET flushed = seq;

-- Makes the partition of a day, if it is not there. A row that comes before its day has one goes
-- to the default partition, which is why days are made ahead of need.
CREATE FUNCTION make_day(parent text, day date) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
    name text := parent || to_char(day, '"_"YYYYMMDD');
    store_options text := CASE parent WHEN 'card_authorization' THEN ' WITH (fillfactor = 90)'
        ELSE '' END;
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)%s', name, parent,
        to_char(day, 'YYYY-MM-DD"T00:00:00Z"'), to_char(day + 1, 'YYYY-MM-DD"T00:00:00Z"'),
        store_options);
    RETURN true;
END $$;

-- An authorization with its running totals, its message key, and the first 64 bits of what a
-- reversal looks for (`origin`: fingerprint and STAN). The request itself is this row; what
-- happened to it afterwards stands in authorization_event.
ALTER TABLE card_authorization RENAME TO card_authorization_before;
ALTER INDEX card_authorization_pkey RENAME TO card_authorization_before_pkey;
CREATE TABLE card_authorization (
    id             int8        NOT NULL,
    decided_at     timestamptz NOT NULL,
    partner_id     int8,
    card_id        int8,
    balance_id     int8,
    pool_id        int8,
    currency       int2        NOT NULL,
    requested      int8        NOT NULL,
    reason         text        NOT NULL,
    approval_code  text,
    authorized     int8        NOT NULL,
    incremented    int8        NOT NULL DEFAULT 0,
    reversed       int8        NOT NULL DEFAULT 0,
    cleared        int8        NOT NULL DEFAULT 0,
    refunded       int8        NOT NULL DEFAULT 0,
    closed         bool        NOT NULL,
    -- `link:<n>` where the message named no acquirer.
    acquirer       text        NOT NULL,
    class          text        NOT NULL,
    stan           int4        NOT NULL,
    local_time     int8        NOT NULL,
    terminal       text        NOT NULL,
    rrn            text        NOT NULL,
    fingerprint    bytea       NOT NULL,
    origin         int8        NOT NULL,
    transmitted    int8        NOT NULL,
    channel        text        NOT NULL,
    entry_mode     text        NOT NULL,
    mcc            int4        NOT NULL,
    merchant       text        NOT NULL,
    as_of_seq      int8        NOT NULL,
    PRIMARY KEY (id, decided_at)
) PARTITION BY RANGE (decided_at);
-- For late repeats and late reversals, whose original is no longer in memory (W-21).
CREATE INDEX card_authorization_origin ON card_authorization (origin);
CREATE TABLE card_authorization_rest PARTITION OF card_authorization DEFAULT;

ALTER TABLE authorization_event RENAME TO authorization_event_before;
ALTER INDEX authorization_event_pkey RENAME TO authorization_event_before_pkey;
DROP INDEX authorization_event_reversed;
CREATE TABLE authorization_event (
    shard                int4        NOT NULL,
    seq                  int8        NOT NULL,
    idx                  int4        NOT NULL,
    at                   timestamptz NOT NULL,
    -- reversed, voided
    kind                 text        NOT NULL,
    -- The message's own number: of the authorization, or of the reversal.
    id                   int8        NOT NULL,
    -- The authorization that it is about; null for a reversal whose original never came.
    authorization_id     int8,
    partner_id           int8,
    -- The link that the message came by; null where the switch did it by itself.
    link                 int4,
    reason               text        NOT NULL,
    -- What was added to the totals; null where nothing was.
    authorized           int8,
    incremented          int8,
    reversed             int8,
    cleared              int8,
    refunded             int8,
    closes               bool        NOT NULL,
    -- A reversal's own message key, and the first 64 bits of what finds it.
    acquirer             text,
    class                text,
    stan                 int4,
    local_time           int8,
    terminal             text,
    rrn                  text,
    fingerprint          bytea,
    origin               int8,
    -- What a reversal says of its original.
    original_acquirer    text,
    original_stan        int4,
    original_terminal    text,
    original_fingerprint bytea,
    original_transmitted int8,
    original_rrn         text,
    PRIMARY KEY (shard, seq, idx, at)
) PARTITION BY RANGE (at);
-- For load: reversals since the start of the window. For late repeats of reversals.
CREATE INDEX authorization_event_reversed ON authorization_event (shard, at)
    WHERE kind = 'reversed';
CREATE INDEX authorization_event_origin ON authorization_event (origin) WHERE kind = 'reversed';
CREATE TABLE authorization_event_rest PARTITION OF authorization_event DEFAULT;

ALTER TABLE posting RENAME TO posting_before;
ALTER INDEX posting_pkey RENAME TO posting_before_pkey;
CREATE TABLE posting (
    shard        int4        NOT NULL,
    seq          int8        NOT NULL,
    idx          int4        NOT NULL,
    at           timestamptz NOT NULL,
    -- The record of the journal row that it belongs to.
    record_idx   int4        NOT NULL,
    partner_id   int8,
    kind         text        NOT NULL,
    -- balance, pool, settlement_bank, memorandum; and the identifier of that
    account      text        NOT NULL,
    account_id   int8        NOT NULL,
    amount       int8        NOT NULL,
    currency     int2        NOT NULL,
    PRIMARY KEY (shard, seq, idx, at)
) PARTITION BY RANGE (at);
CREATE TABLE posting_rest PARTITION OF posting DEFAULT;

-- Sums of postings whose day is no longer kept: the books still add up without it.
CREATE TABLE posting_carried (
    account    text    NOT NULL,
    account_id int8    NOT NULL,
    currency   int2    NOT NULL,
    amount     numeric NOT NULL,
    PRIMARY KEY (account, account_id, currency)
);

ALTER TABLE audit_entry RENAME TO audit_entry_before;
ALTER INDEX audit_entry_pkey RENAME TO audit_entry_before_pkey;
DROP INDEX audit_entry_command;
CREATE TABLE audit_entry (
    shard           int4        NOT NULL,
    seq             int8        NOT NULL,
    idx             int4        NOT NULL,
    at              timestamptz NOT NULL,
    partner_id      int8,
    -- Null where the switch did it by itself.
    idempotency_key uuid,
    -- Tells the command from another under the same key; null before there were digests.
    digest          int8,
    actor           text        NOT NULL,
    kind            text        NOT NULL,
    -- The row that it is about.
    subject_id      int8,
    -- The identifier that it made, if it made one.
    made_id         int8,
    -- New state, lock or reference, in words.
    detail          text        NOT NULL,
    PRIMARY KEY (shard, seq, idx, at)
) PARTITION BY RANGE (at);
-- For load, and for keys that came back after the shard forgot them (W-18).
CREATE INDEX audit_entry_command ON audit_entry (shard, at) WHERE idempotency_key IS NOT NULL;
CREATE INDEX audit_entry_key ON audit_entry (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE TABLE audit_entry_rest PARTITION OF audit_entry DEFAULT;

-- What earlier versions wrote, each row into the partition of its day.
DO $$
DECLARE one record;
BEGIN
    FOR one IN
        SELECT DISTINCT parent, day FROM (
            SELECT 'card_authorization' AS parent, decided_at AS at FROM card_authorization_before
            UNION ALL SELECT 'authorization_event', at FROM authorization_event_before
            UNION ALL SELECT 'posting', at FROM posting_before
            UNION ALL SELECT 'audit_entry', at FROM audit_entry_before
        ) AS rows, LATERAL (SELECT (rows.at AT TIME ZONE 'UTC')::date AS day) AS days
        WHERE day BETWEEN '2000-01-01' AND '9999-12-30'
    LOOP
        PERFORM make_day(one.parent, one.day);
    END LOOP;
END $$;
INSERT INTO card_authorization (id, decided_at, partner_id, card_id, balance_id, pool_id,
        currency, requested, reason, approval_code, authorized, incremented, reversed, cleared,
        refunded, closed, acquirer, class, stan, local_time, terminal, rrn, fingerprint, origin,
        transmitted, channel, entry_mode, mcc, merchant, as_of_seq)
    SELECT id, decided_at, partner_id, card_id, balance_id, pool_id,
        currency, requested, reason, approval_code, authorized, incremented, reversed, cleared,
        refunded, closed, acquirer, class, stan, local_time, terminal, rrn, fingerprint,
        ('x' || encode(substr(fingerprint, 1, 8), 'hex'))::bit(64)::int8 # stan,
        transmitted, channel, entry_mode, mcc, merchant, as_of_seq
    FROM card_authorization_before;
INSERT INTO authorization_event (shard, seq, idx, at, kind, id, authorization_id, partner_id, link,
        reason, authorized, incremented, reversed, cleared, refunded, closes, acquirer, class,
        stan, local_time, terminal, rrn, fingerprint, origin, original_acquirer, original_stan,
        original_terminal, original_fingerprint, original_transmitted, original_rrn)
    SELECT shard, seq, idx, at, kind, id, authorization_id, partner_id, link,
        reason, authorized, incremented, reversed, cleared, refunded, closes, acquirer, class,
        stan, local_time, terminal, rrn, fingerprint,
        ('x' || encode(substr(fingerprint, 1, 8), 'hex'))::bit(64)::int8 # stan,
        original_acquirer, original_stan, original_terminal, original_fingerprint,
        original_transmitted, original_rrn
    FROM authorization_event_before WHERE kind <> 'authorized';
INSERT INTO posting (shard, seq, idx, at, record_idx, partner_id, kind, account, account_id,
        amount, currency)
    SELECT shard, seq, idx, at, record_idx, partner_id, kind, account, account_id, amount, currency
    FROM posting_before;
INSERT INTO audit_entry (shard, seq, idx, at, partner_id, idempotency_key, actor, kind, subject_id,
        made_id, detail)
    SELECT shard, seq, idx, at, partner_id, idempotency_key, actor, kind, subject_id, made_id, detail
    FROM audit_entry_before;
DROP TABLE card_authorization_before, authorization_event_before, posting_before,
    audit_entry_before;
