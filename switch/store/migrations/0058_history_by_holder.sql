-- History by card and by account, for people who ask for it. An ordinary index would be paid by every
-- authorization: its entries lie everywhere, so that each writes another page. What is here is a summary of
-- every 32 pages, made behind, when nobody waits (`summarize_history`): which cards and accounts may stand in
-- them. A row that is added to pages without a summary has no entry of its own and changes nothing of the
-- index; such pages are read by whoever asks. Summaries are of whole ranges of pages, so that the pages that
-- are being written have none. Bloom filters are there since PostgreSQL 14.
CREATE INDEX card_authorization_holder ON card_authorization
    USING brin (card_id int8_bloom_ops, balance_id int8_bloom_ops)
    WITH (pages_per_range = 32, autosummarize = off);
-- What happened to an authorization, likewise.
CREATE INDEX authorization_event_about ON authorization_event
    USING brin (authorization_id int8_bloom_ops)
    WITH (pages_per_range = 32, autosummarize = off);

-- Up to which page each partition has summaries, by its number in PostgreSQL's own catalogue: a name may be
-- another day's later.
CREATE TABLE history_summary (
    part  oid  PRIMARY KEY,
    pages int8 NOT NULL
);

-- Summarises at most so many ranges, the newest days first; how many it did, and how many are left. Where
-- somebody else does it, or has the day locked, it leaves that to them and to the next time.
CREATE FUNCTION summarize_history(most int4, OUT done int8, OUT waiting int8)
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    one record;
    at  int8;
BEGIN
    done := 0;
    waiting := 0;
    IF NOT pg_try_advisory_xact_lock(hashtext('cardswitch history summary')) THEN
        RETURN;
    END IF;
    DELETE FROM history_summary WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = part);
    FOR one IN
        SELECT child.oid AS part, of_child.indexrelid AS index, coalesce(known.pages, 0) AS pages,
            pg_relation_size(child.oid) / current_setting('block_size')::int8 AS size
        FROM pg_inherits
            JOIN pg_class AS child ON child.oid = inhrelid
            JOIN pg_index AS of_child ON of_child.indrelid = child.oid
            JOIN pg_class AS index ON index.oid = of_child.indexrelid
            JOIN pg_am ON pg_am.oid = index.relam AND amname = 'brin'
            LEFT JOIN history_summary AS known ON known.part = child.oid
        WHERE inhparent IN ('card_authorization'::regclass, 'authorization_event'::regclass)
        ORDER BY right(child.relname::text, 8) DESC
    LOOP
        at := one.pages;
        WHILE at + 32 <= one.size AND done < most LOOP
            PERFORM brin_summarize_range(one.index, at);
            at := at + 32;
            done := done + 1;
        END LOOP;
        IF at > one.pages THEN
            INSERT INTO history_summary (part, pages) VALUES (one.part, at)
            ON CONFLICT (part) DO UPDATE SET pages = excluded.pages;
        END IF;
        waiting := waiting + greatest(0, (one.size - at) / 32);
    END LOOP;
END $$;

-- The ordinary role does not write the table, and asks the function.
ALTER FUNCTION set_projector_apart() RENAME TO set_all_but_summary_apart;
CREATE FUNCTION set_projector_apart() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    in_the_way CONSTANT text := set_all_but_summary_apart();
BEGIN
    IF in_the_way IS NULL THEN
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON history_summary FROM cardswitch_ordinary;
        EXECUTE format('ALTER FUNCTION summarize_history(int4) SECURITY DEFINER '
            'SET search_path = %I, pg_temp', current_schema());
        REVOKE EXECUTE ON FUNCTION summarize_history(int4) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION summarize_history(int4) TO cardswitch_ordinary;
    END IF;
    RETURN in_the_way;
END $$;
REVOKE EXECUTE ON FUNCTION set_projector_apart() FROM PUBLIC;
