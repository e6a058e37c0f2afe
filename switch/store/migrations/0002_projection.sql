-- Rows made from the journal, by the projector alone (design section 3). No table here has any
-- constraint but its own key: one violation would stop a shard for ever (W-23). Names of choices
-- are text; amounts are minor units; currencies are ISO 4217 numeric codes; as_of_seq is the last
-- journal row that a row reflects.

-- W-23: how far each shard's rows are. Moved by compare-and-set in the transaction that writes them.
CREATE TABLE projection (
    shard           int4        PRIMARY KEY,
    seq             int8        NOT NULL,
    -- Highest counter in any identifier that the shard minted (W-16).
    last_counter    int8        NOT NULL,
    -- Time of the last record (W-16).
    last_decided    timestamptz NOT NULL,
    -- Changes of partners, pools and programmes so far (W-17).
    control_version int8        NOT NULL
) WITH (fillfactor = 50);

-- Control: what an issuer sets up before any card spends (W-17).
CREATE TABLE partner (
    id        int8 PRIMARY KEY,
    shard     int4 NOT NULL,
    name      text NOT NULL,
    state     text NOT NULL,
    as_of_seq int8 NOT NULL
);

CREATE TABLE pool (
    id         int8 PRIMARY KEY,
    shard      int4 NOT NULL,
    partner_id int8 NOT NULL,
    kind       text NOT NULL,
    currency   int2 NOT NULL,
    as_of_seq  int8 NOT NULL
);

CREATE TABLE programme (
    id         int8 PRIMARY KEY,
    shard      int4 NOT NULL,
    partner_id int8 NOT NULL,
    name       text NOT NULL,
    bin_low    int4 NOT NULL,
    bin_high   int4 NOT NULL,
    pan_length int2 NOT NULL,
    currency   int2 NOT NULL,
    funding    text NOT NULL,
    pool_id    int8 NOT NULL,
    as_of_seq  int8 NOT NULL
);

-- W-15: what each shard contributed to a pool; the pool is the sum.
CREATE TABLE pool_share (
    pool_id    int8 NOT NULL,
    shard      int4 NOT NULL,
    partner_id int8,
    level      int8 NOT NULL,
    held       int8 NOT NULL,
    as_of_seq  int8 NOT NULL,
    PRIMARY KEY (pool_id, shard)
) WITH (fillfactor = 50);

CREATE TABLE balance (
    id           int8 PRIMARY KEY,
    shard        int4 NOT NULL,
    partner_id   int8 NOT NULL,
    programme_id int8 NOT NULL,
    customer_id  int8 NOT NULL,
    currency     int2 NOT NULL,
    state        text NOT NULL,
    ledger       int8 NOT NULL,
    held         int8 NOT NULL,
    as_of_seq    int8 NOT NULL
) WITH (fillfactor = 70);

-- As far as one shard goes: a customer may have balances in several.
CREATE TABLE customer_state (
    shard       int4 NOT NULL,
    customer_id int8 NOT NULL,
    partner_id  int8,
    state       text NOT NULL,
    as_of_seq   int8 NOT NULL,
    PRIMARY KEY (shard, customer_id)
);

-- W-9: a card names its row in the vault and holds nothing of its number.
CREATE TABLE card (
    id            int8 PRIMARY KEY,
    shard         int4 NOT NULL,
    partner_id    int8 NOT NULL,
    balance_id    int8 NOT NULL,
    programme_id  int8 NOT NULL,
    vault_row     int8 NOT NULL,
    vault_version int4 NOT NULL,
    expiry_yymm   int2 NOT NULL,
    status        text NOT NULL,
    lock_code     int2,
    approvals     int8 NOT NULL,
    as_of_seq     int8 NOT NULL
) WITH (fillfactor = 70);

-- An authorization with its running totals (design section 4) and the key under which a repeat of
-- its message is found. `authorization` is a reserved word of SQL.
CREATE TABLE card_authorization (
    id             int8        PRIMARY KEY,
    shard          int4        NOT NULL,
    partner_id     int8,
    card_id        int8,
    balance_id     int8,
    pool_id        int8,
    currency       int2        NOT NULL,
    requested      int8        NOT NULL,
    reason         text        NOT NULL,
    approval_code  text,
    authorized     int8        NOT NULL,
    incremented    int8        NOT NULL,
    reversed       int8        NOT NULL,
    cleared        int8        NOT NULL,
    refunded       int8        NOT NULL,
    closed         bool        NOT NULL,
    decided_at     timestamptz NOT NULL,
    -- The message key (design section 2). `link:<n>` where the message named no acquirer.
    acquirer       text        NOT NULL,
    class          text        NOT NULL,
    stan           int8        NOT NULL,
    local_time     int8        NOT NULL,
    terminal       text        NOT NULL,
    rrn            text        NOT NULL,
    fingerprint    bytea       NOT NULL,
    -- Other facts of the message.
    transmitted    int8        NOT NULL,
    channel        text        NOT NULL,
    entry_mode     text        NOT NULL,
    mcc            int4        NOT NULL,
    merchant       text        NOT NULL,
    as_of_seq      int8        NOT NULL
) WITH (fillfactor = 80);

-- For load: what is still held, and what may still be repeated or reversed.
CREATE INDEX card_authorization_open ON card_authorization (shard)
    WHERE NOT closed AND authorized + incremented > reversed + cleared;
CREATE INDEX card_authorization_decided ON card_authorization (shard, decided_at);

-- What happened to authorizations: immutable, one row an event. The facts of a request stand in
-- its authorization and are not repeated here; those of a reversal stand here.
CREATE TABLE authorization_event (
    shard                int4        NOT NULL,
    seq                  int8        NOT NULL,
    idx                  int4        NOT NULL,
    at                   timestamptz NOT NULL,
    -- authorized, reversed, voided
    kind                 text        NOT NULL,
    -- The message's own number: of the authorization, or of the reversal.
    id                   int8        NOT NULL,
    -- The authorization that it is about; null for a reversal whose original never came.
    authorization_id     int8,
    partner_id           int8,
    -- The link that the message came by; null where the switch did it by itself.
    link                 int4,
    reason               text        NOT NULL,
    approval_code        text,
    -- Its reversal had come before it.
    reversed_before      bool        NOT NULL,
    -- What was added to the totals; null where nothing was.
    authorized           int8,
    incremented          int8,
    reversed             int8,
    cleared              int8,
    refunded             int8,
    closes               bool        NOT NULL,
    -- A reversal's own message key.
    acquirer             text,
    class                text,
    stan                 int8,
    local_time           int8,
    terminal             text,
    rrn                  text,
    fingerprint          bytea,
    -- What a reversal says of its original.
    original_acquirer    text,
    original_stan        int8,
    original_terminal    text,
    original_fingerprint bytea,
    original_transmitted int8,
    original_rrn         text,
    PRIMARY KEY (shard, seq, idx)
);

-- For load: reversals since the start of the window.
CREATE INDEX authorization_event_reversed ON authorization_event (shard, at)
    WHERE kind = 'reversed';

-- Double entry of settled movements. The legs of one record sum to zero in each currency.
CREATE TABLE posting (
    shard        int4        NOT NULL,
    seq          int8        NOT NULL,
    idx          int4        NOT NULL,
    -- The record of the journal row that it belongs to.
    record_idx   int4        NOT NULL,
    at           timestamptz NOT NULL,
    partner_id   int8,
    kind         text        NOT NULL,
    -- balance, pool, settlement_bank, memorandum; and the identifier of that
    account      text        NOT NULL,
    account_id   int8        NOT NULL,
    amount       int8        NOT NULL,
    currency     int2        NOT NULL,
    PRIMARY KEY (shard, seq, idx)
);

-- W-18: who did what. Also the memory of commands: a key seen again within its life is not done again.
CREATE TABLE audit_entry (
    shard           int4        NOT NULL,
    seq             int8        NOT NULL,
    idx             int4        NOT NULL,
    at              timestamptz NOT NULL,
    partner_id      int8,
    -- Null where the switch did it by itself.
    idempotency_key uuid,
    actor           text        NOT NULL,
    kind            text        NOT NULL,
    -- The row that it is about.
    subject_id      int8,
    -- The identifier that it made, if it made one.
    made_id         int8,
    -- New state, lock or reference, in words.
    detail          text        NOT NULL,
    PRIMARY KEY (shard, seq, idx)
);

-- For load: commands within the life of their keys.
CREATE INDEX audit_entry_command ON audit_entry (shard, at) WHERE idempotency_key IS NOT NULL;
