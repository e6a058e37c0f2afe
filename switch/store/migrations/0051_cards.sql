-- Cards as partners, holders and operators see them, beside what the shards decide by. Ordinary SQL
-- of the management service: no number, no code and no PIN stands here.

-- A row is made before its card is asked for, and names it to whoever makes it.
CREATE TABLE card_profile (
    -- Ours, towards the processor and the shard: the same order is the same card.
    order_id            uuid        PRIMARY KEY,
    partner_id          int8        NOT NULL,
    customer_id         int8        NOT NULL,
    balance_id          int8        NOT NULL,
    -- Null: it is not made yet.
    card_id             int8        UNIQUE,
    -- Where the number that a processor gave for this order is kept: no other order has it.
    vault_row           int8        UNIQUE,
    form                text        NOT NULL CHECK (form IN ('VIRTUAL', 'PHYSICAL')),
    -- The card that this is plastic of (A-01).
    physical_of         int8,
    -- The card in whose place this came.
    replaces            int8,
    -- As it is printed; personal data, and goes with those of the customer.
    holder_name         text,
    -- The partner's own.
    reference           text,
    -- Of the number: for a list, before the projector has the card.
    last_four           text,
    -- Who makes and keeps the number, and its name for the card.
    processor           text        NOT NULL,
    processor_reference text,
    -- Which channel set the lock, while the lock is of this code.
    locked_by           text        CHECK (locked_by IN ('USER', 'PARTNER', 'OPERATOR')),
    lock_code           int2,
    asked_at            timestamptz NOT NULL,
    made_at             timestamptz,
    removed_at          timestamptz,
    CHECK ((locked_by IS NULL) = (lock_code IS NULL)),
    CHECK ((card_id IS NULL) = (made_at IS NULL))
);
CREATE INDEX card_profile_of_customer ON card_profile (customer_id, card_id);
CREATE INDEX card_profile_of_balance ON card_profile (balance_id);
CREATE INDEX card_profile_replaces ON card_profile (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX card_profile_not_made ON card_profile (asked_at) WHERE card_id IS NULL;

-- Cards that are made while nobody waits. The order is the row above.
CREATE TABLE card_job (
    order_id    uuid        PRIMARY KEY,
    partner_id  int8        NOT NULL,
    customer_id int8        NOT NULL,
    -- Who asked, for the journal.
    actor       text        NOT NULL,
    state       text        NOT NULL CHECK (state IN ('WAITING', 'DONE', 'FAILED')),
    -- Why it failed: a code of problems.
    code        text,
    attempts    int4        NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL,
    deadline    timestamptz NOT NULL,
    asked_at    timestamptz NOT NULL,
    ended_at    timestamptz,
    CHECK ((ended_at IS NULL) = (state = 'WAITING'))
);
CREATE INDEX card_job_due ON card_job (next_at) WHERE state = 'WAITING';
CREATE INDEX card_job_ended ON card_job (ended_at) WHERE state <> 'WAITING';

-- Whose processor makes the cards of a programme; without a row, this switch itself.
CREATE TABLE programme_processor (
    programme_id int8        PRIMARY KEY,
    processor    text        NOT NULL,
    changed_at   timestamptz NOT NULL,
    changed_by   text        NOT NULL
);
