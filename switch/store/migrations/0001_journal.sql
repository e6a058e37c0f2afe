-- The journal (W-1): the truth. One row is one batch and one commit.
CREATE TABLE journal (
    shard        int4        NOT NULL,
    seq          int8        NOT NULL,
    epoch        int8        NOT NULL,
    owner        uuid        NOT NULL,
    format       int2        NOT NULL,
    records      bytea       NOT NULL,
    hash         bytea       NOT NULL,
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shard, seq)
) PARTITION BY RANGE (seq);

-- W-7: batches are compressed by nobody, so that an append costs no processor for it. Set before
-- the partitions are made: they inherit it.
ALTER TABLE journal ALTER COLUMN records SET STORAGE EXTERNAL;

-- W-7: partitions by range of seq, so that old ones can be archived and detached.
CREATE TABLE journal_0 PARTITION OF journal FOR VALUES FROM (0) TO (10000000);
CREATE TABLE journal_rest PARTITION OF journal DEFAULT;

-- W-12: how many shards the group was founded with. Changing the number is resharding, which is
-- another thing than starting with another setting.
CREATE TABLE shard_group (
    group_id   int4        PRIMARY KEY,
    shards     int4        NOT NULL,
    founded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
