-- History and journal are written once and looked up by their keys. PostgreSQL would vacuum and
-- analyse such tables again and again while they grow: under load that wrote every page a second
-- time, took a fifth of the processor, and appends waited behind it. What is there to do once is
-- done once, when PostgreSQL finds a table old (autovacuum_freeze_max_age). Dead rows, which
-- reversals leave in card_authorization, are vacuumed as before.
CREATE OR REPLACE FUNCTION make_day(parent text, day date) RETURNS bool
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    name     text := parent || to_char(day, '"_"YYYYMMDD');
    fallback text := parent || '_rest';
    moment   text := CASE parent WHEN 'card_authorization' THEN 'decided_at' ELSE 'at' END;
    begins   text := to_char(day, 'YYYY-MM-DD"T00:00:00Z"');
    ends     text := to_char(day + 1, 'YYYY-MM-DD"T00:00:00Z"');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING INDEXES)
        WITH (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 1000000,
            autovacuum_analyze_scale_factor = 1%s)', name, parent,
        CASE parent WHEN 'card_authorization' THEN ', fillfactor = 90' ELSE '' END);
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', fallback);
    EXECUTE format('WITH early AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *)
        INSERT INTO %I SELECT * FROM early', fallback, moment, begins, moment, ends, name);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name,
        begins, ends);
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION make_journal_part(of_shard int4, wanted int8, part_rows int8) RETURNS bool
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
        PRIMARY KEY (shard, seq))
        WITH (autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 1000000,
            autovacuum_analyze_scale_factor = 1, toast.autovacuum_vacuum_insert_threshold = -1)',
        name);
    EXECUTE format('ALTER TABLE journal ATTACH PARTITION %I FOR VALUES FROM (%s, %s) TO (%s, %s)',
        name, of_shard, begins, of_shard, ends);
    INSERT INTO journal_part (shard, first, past) VALUES (of_shard, begins, ends);
    RETURN true;
END $$;

-- What earlier versions made.
DO $$
DECLARE one record;
BEGIN
    FOR one IN SELECT inhrelid::regclass AS name FROM pg_inherits
        WHERE inhparent IN ('journal'::regclass, 'card_authorization'::regclass,
            'authorization_event'::regclass, 'posting'::regclass, 'audit_entry'::regclass)
    LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_vacuum_insert_threshold = -1,
            autovacuum_analyze_threshold = 1000000, autovacuum_analyze_scale_factor = 1)', one.name);
    END LOOP;
END $$;
