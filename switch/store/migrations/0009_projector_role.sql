-- Who may write what (W-23): the projector alone writes the rows that are made from the journal.
-- Two roles that nobody logs in as: connections of the switch act as one of them (see the store's
-- `roles`), and as themselves only to change tables. A role is of the whole server; its rights are
-- of this database.

-- Gives both roles their rights, and makes them if they are not there. Called at every start, so
-- that tables of later versions are covered, and so are roles that a person made meanwhile. What
-- stands in the way, or null where the separation is in force. A later version that adds a table
-- which the projector writes replaces this function by one that names it.
CREATE FUNCTION set_projector_apart() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    projected CONSTANT text[] := ARRAY['projection', 'partner', 'pool', 'programme', 'pool_share',
        'balance', 'customer_state', 'card', 'card_authorization', 'authorization_event',
        'posting', 'audit_entry', 'transfer', 'transfer_received'];
    -- Written by functions and migrations alone.
    kept      CONSTANT text[] := ARRAY['_sqlx_migrations', 'posting_carried'];
    -- What changes tables, and is done with their owner's rights, in this schema alone.
    makers    CONSTANT text[] := ARRAY['make_day(text, date)', 'drop_day(text, date)',
        'make_journal_part(int4, int8, int8)'];
    -- Since version 16 who made a role is a member of it that may not act under it.
    needed    CONSTANT text := CASE WHEN current_setting('server_version_num')::int >= 160000
        THEN 'SET' ELSE 'MEMBER' END;
    name      text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('cardswitch roles'));
    FOREACH name IN ARRAY ARRAY['cardswitch_ordinary', 'cardswitch_projector'] LOOP
        IF to_regrole(name) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', name);
            EXCEPTION
                WHEN insufficient_privilege THEN RETURN format('role %s is not there', name);
                -- Another database of this server has just made it.
                WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        IF NOT pg_has_role(session_user, name, needed) THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', name, session_user);
            EXCEPTION WHEN insufficient_privilege THEN
                RETURN format('%s is no member of role %s', session_user, name);
            END;
        END IF;
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO cardswitch_ordinary, cardswitch_projector',
        current_schema());
    -- Partitions are reached by their table alone.
    FOR name IN SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace
        AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY relname
    LOOP
        EXECUTE format('GRANT SELECT ON %I TO cardswitch_ordinary, cardswitch_projector', name);
        IF name = ANY (projected) THEN
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO cardswitch_projector', name);
        ELSIF name = 'journal' THEN
            -- Rows are added, and nothing else.
            EXECUTE format('GRANT INSERT ON %I TO cardswitch_ordinary', name);
        ELSIF name <> ALL (kept) THEN
            EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO cardswitch_ordinary', name);
        END IF;
    END LOOP;
    FOREACH name IN ARRAY makers LOOP
        EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', name,
            current_schema());
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO cardswitch_ordinary', name);
    END LOOP;
    -- For the size of the log, where that may be passed on.
    BEGIN
        GRANT EXECUTE ON FUNCTION pg_ls_waldir() TO cardswitch_ordinary;
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
    RETURN NULL;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN format('%s does not own what it should give rights to: %s', session_user, SQLERRM);
END $$;
REVOKE EXECUTE ON FUNCTION set_projector_apart() FROM PUBLIC;
