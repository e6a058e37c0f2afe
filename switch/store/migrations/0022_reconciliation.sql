-- Reconciliations (x500, x520): what a peer said was settled over its link in a business day, beside
-- what the tables had. Ordinary SQL of the management service, one row for each message.
CREATE TABLE link_reconciliation (
    link     int4        NOT NULL,
    day      date        NOT NULL,
    -- Trace number, local time and time of transmission: the same when it comes again.
    asked    text        NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Null where nothing was settled and none was named.
    currency int2,
    -- in_balance, out_of_balance, provided
    outcome  text        NOT NULL,
    -- Credits, their reversals, debits, their reversals: four numbers of messages and four amounts
    -- in minor units, and the net amount. Null where the peer does not say.
    theirs   int8[]      NOT NULL,
    ours     int8[]      NOT NULL,
    PRIMARY KEY (link, day, asked)
);
