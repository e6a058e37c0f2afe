-- W-12: data shards of one generation have numbers in a row, and no number is used twice. So this
-- one says it all: shard 0 and those from `first_shard` on serve, and those between are sealed.
-- `shards` counts those that serve, the control shard included. Changed by `cardswitch journal
-- reshard` alone, in the transaction of the rows that seal the old shards and found the new ones.
ALTER TABLE shard_group ADD COLUMN first_shard int4 NOT NULL DEFAULT 1;
