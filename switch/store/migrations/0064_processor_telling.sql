-- What processors elsewhere have yet to hear of their cards. Ordinary SQL of the management service; no card
-- number stands here.

-- A row for each card of which something had to be told. It says what the card's processor has heard, not what is
-- to be told: that is what the card is when its turn comes.
CREATE TABLE processor_telling (
    card_id       int8        PRIMARY KEY,
    -- That the card is in use; by which code it is stopped; that it is gone for good.
    is_active     bool        NOT NULL,
    stopped_by    int2,
    is_retired    bool        NOT NULL DEFAULT false,
    -- Something was asked about its lock, and nobody knows whether it was done.
    lock_in_doubt bool        NOT NULL DEFAULT false,
    -- Counts what became of the card: who has told it ends its waiting only where nothing came meanwhile.
    marks         int8        NOT NULL DEFAULT 1,
    waits         bool        NOT NULL DEFAULT true,
    waits_since   timestamptz NOT NULL,
    attempts      int4        NOT NULL DEFAULT 0,
    next_at       timestamptz NOT NULL,
    -- The processor said that it will not: it is not asked again before something else becomes of the card.
    refused_at    timestamptz
);
CREATE INDEX processor_telling_due ON processor_telling (next_at) WHERE waits;

-- Up to which row of each shard's journal cards were looked at. Rows are here while there are processors elsewhere
-- alone; the journal is not archived past them.
CREATE TABLE processor_feed (
    shard int4 PRIMARY KEY,
    seq   int8 NOT NULL
);
