-- The journal in parts (W-7): each shard's rows in tables of one range of its own seq. So a part
-- can be archived as soon as its shard has gone past it, whatever the others do: a shard that
-- seldom writes keeps its head in a part of its own.
--
-- There is no default partition: with one, a part could be detached only under a lock that stops
-- appends. A row that finds no part makes it (see the appender), and parts are made ahead.
ALTER TABLE journal RENAME TO journal_before;
ALTER INDEX journal_pkey RENAME TO journal_before_pkey;
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
) PARTITION BY RANGE (shard, seq);
ALTER TABLE journal ALTER COLUMN records SET STORAGE EXTERNAL;

-- The parts that there are and were. Written in the transaction that makes or drops one.
CREATE TABLE journal_part (
    shard   int4        NOT NULL,
    first   int8        NOT NULL,
    -- The first seq behind it.
    past    int8        NOT NULL,
    -- attached; detached: kept as a table of its own; dropped
    state   text        NOT NULL DEFAULT 'attached',
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shard, first)
);

-- Makes the next part of a shard if row `wanted` has none yet. The table is made by itself and then
-- attached, which needs no lock that appends or reads would wait for.
CREATE FUNCTION make_journal_part(of_shard int4, wanted int8, part_rows int8) RETURNS bool
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    begins int8;
    ends   int8;
    name   text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('cardswitch journal parts'));
    SELECT coalesce(max(past), 0) INTO begins FROM journal_part WHERE shard = of_shard;
    IF wanted < begins THEN
        RETURN false;
    END IF;
    ends := greatest(begins + part_rows, wanted + 1);
    name := format('journal_%s_%s', of_shard, begins);
    EXECUTE format('CREATE TABLE %I (LIKE journal INCLUDING DEFAULTS INCLUDING STORAGE,
        PRIMARY KEY (shard, seq))', name);
    EXECUTE format('ALTER TABLE journal ATTACH PARTITION %I FOR VALUES FROM (%s, %s) TO (%s, %s)',
        name, of_shard, begins, of_shard, ends);
    INSERT INTO journal_part (shard, first, past) VALUES (of_shard, begins, ends);
    RETURN true;
END $$;

-- What earlier versions wrote.
DO $$
DECLARE one record;
BEGIN
    FOR one IN SELECT shard, max(seq) AS head FROM journal_before GROUP BY shard LOOP
        FOR piece IN 1..(one.head / 1000000 + 1) LOOP
            PERFORM make_journal_part(one.shard, piece * 1000000 - 1, 1000000);
        END LOOP;
    END LOOP;
END $$;
INSERT INTO journal SELECT * FROM journal_before;
DROP TABLE journal_before;

-- States of shards that were archived with everything before them: where the chain begins when the
-- rows before it are gone (W-7). `seq` and `hash` are those of the last row that is in the state.
CREATE TABLE journal_checkpoint (
    shard    int4        NOT NULL,
    seq      int8        NOT NULL,
    hash     bytea       NOT NULL,
    -- SHA-256 of the manifest, which has the digests of the snapshot and of the rows.
    manifest bytea       NOT NULL,
    -- Where it stands below the archive's directory.
    place    text        NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (shard, seq)
);

-- A journal that went back in time (W-24): nothing is served until a person has said so.
CREATE TABLE reconciliation (
    id              int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    noticed_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    what            text        NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    report          text
);
