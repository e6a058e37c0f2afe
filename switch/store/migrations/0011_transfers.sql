-- Transfers between accounts (W-17), by the shard of the account that pays. Money is in transit
-- from the record that made a row here until it was credited or given back.
CREATE TABLE transfer (
    id           int8        PRIMARY KEY,
    shard        int4        NOT NULL,
    partner_id   int8        NOT NULL,
    from_balance int8        NOT NULL,
    to_balance   int8        NOT NULL,
    amount       int8        NOT NULL,
    currency     int2        NOT NULL,
    reference    text        NOT NULL,
    sent_at      timestamptz NOT NULL,
    -- Null while it is open; credited; else why it was given back.
    outcome      text,
    as_of_seq    int8        NOT NULL
) WITH (fillfactor = 90);
-- For load: what has still to be carried.
CREATE INDEX transfer_open ON transfer (shard) WHERE outcome IS NULL;

-- What the shard of the account that gets it said, once for each transfer.
CREATE TABLE transfer_received (
    shard      int4 NOT NULL,
    id         int8 NOT NULL,
    partner_id int8 NOT NULL,
    to_balance int8 NOT NULL,
    amount     int8 NOT NULL,
    currency   int2 NOT NULL,
    outcome    text NOT NULL,
    -- The source has closed it: it will not come again.
    settled    bool NOT NULL DEFAULT false,
    as_of_seq  int8 NOT NULL,
    PRIMARY KEY (shard, id)
) WITH (fillfactor = 90);
-- For load: what may come again.
CREATE INDEX transfer_received_unsettled ON transfer_received (shard, id) WHERE NOT settled;
