-- Holds that lived their life (`[holds]` in the configuration). By which link an authorization came:
-- how long its hold lives may depend on it. Null for all that was written before.
ALTER TABLE card_authorization ADD COLUMN link int4;

-- Nobody gave a reason for the end of a hold (kind `expired`): it lived its life.
ALTER TABLE authorization_event ALTER COLUMN reason DROP NOT NULL;

-- Up to which authorization of a shard, in the order of their identifiers, the holds that live so
-- long at most have been ended. Moved only after the ends of all before it are committed: a crash
-- repeats some, which then hold nothing, and leaves none out. No index finds what is due, for one
-- would cost every authorization something; the rows are gone through once in their own order.
CREATE TABLE hold_sweep (
    shard      int4        NOT NULL,
    life_s     int8        NOT NULL,
    -- Of the last row that was looked at.
    id         int8        NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (shard, life_s)
);
