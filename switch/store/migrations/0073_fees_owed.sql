-- Fees of acts and of periods on their way to the shards, and how far the periods were looked through. Ordinary SQL of the
-- management service: what was charged is the shards' (`fees_charged`).

-- A fee that somebody owes and that no shard has charged yet. The row is made in the transaction of what it is for, and goes
-- once the shard's command, whose key is the row's, is done: however often it is sent, it is charged once.
CREATE TABLE fee_owed (
    key          uuid        PRIMARY KEY,
    partner_id   int8        NOT NULL,
    programme_id int8        NOT NULL,
    balance_id   int8        NOT NULL,
    -- Null: it is of the account, or of a card that is not there yet:
    card_id      int8,
    -- that of this order.
    order_id     uuid,
    -- As fees are named: `card_monthly`.
    event        text        NOT NULL,
    amount       int8        NOT NULL CHECK (amount > 0),
    currency     int2        NOT NULL,
    taken        text        NOT NULL CHECK (taken IN ('AT_ONCE', 'INVOICED')),
    reference    text        NOT NULL,
    since        timestamptz NOT NULL,
    -- Not before that.
    next_at      timestamptz NOT NULL
);
CREATE INDEX fee_owed_of ON fee_owed (balance_id);
CREATE INDEX fee_owed_next ON fee_owed (next_at);
CREATE INDEX fee_owed_order ON fee_owed (order_id) WHERE order_id IS NOT NULL;

-- A period (`card_daily` to `card_dormant`) whose cards were looked through, or are: up to this one, in the order of identifiers.
CREATE TABLE fee_period (
    event       text        NOT NULL,
    first_day   date        NOT NULL,
    behind      int8        NOT NULL DEFAULT 0,
    -- Up to this day, exclusive, the month's spending is summed up in `fee_spend`.
    spend_until date,
    done_at     timestamptz,
    PRIMARY KEY (event, first_day)
);

-- What was spent with each card in the month that is being looked through.
CREATE TABLE fee_spend (
    card_id int8 PRIMARY KEY,
    amount  int8 NOT NULL
);

-- How many approvals a card had when a month was over, and the first day of the first month through which it has had no more.
CREATE TABLE fee_dormancy (
    card_id   int8 PRIMARY KEY,
    approvals int8 NOT NULL,
    since     date NOT NULL
);
