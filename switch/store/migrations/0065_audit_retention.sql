-- Records of the audit are let go once they are old, from the beginning of the chain on. Where it begins since
-- then, and with which digest, is kept, so that what follows can still be verified. The ordinary role removes none
-- itself: it asks a function, which lets nothing go that is younger than a year (PCI DSS 10.5.1).
CREATE TABLE audit_anchor (
    -- There is one row, or none.
    here      boolean     PRIMARY KEY DEFAULT true CHECK (here),
    -- The last record that went, and when it was written.
    number    int8        NOT NULL CHECK (number > 0),
    digest    bytea       NOT NULL CHECK (length(digest) = 32),
    at        timestamptz NOT NULL,
    let_go_at timestamptz NOT NULL
);

-- Lets old records go, at most so many; how many went. The last record of all stays: the next one is chained to it.
CREATE FUNCTION let_audit_go(before timestamptz, most int4) RETURNS int8 LANGUAGE plpgsql AS $$
DECLARE
    last audit_chain%ROWTYPE;
    gone int8;
BEGIN
    IF before > clock_timestamp() - interval '365 days' THEN
        RAISE EXCEPTION 'records of the audit are kept for a year at least';
    END IF;
    -- One at a time, or two would each move the anchor.
    PERFORM pg_advisory_xact_lock(hashtext('cardswitch audit anchor'));
    SELECT chain.* INTO last FROM audit_chain AS chain WHERE chain.number = (
        SELECT max(run.number) FROM (
            SELECT first.number, bool_and(first.at < before) OVER (ORDER BY first.number) AS old
            FROM (SELECT number, at FROM audit_chain ORDER BY number LIMIT most) AS first
        ) AS run
        -- What was put in before the anchor is no beginning.
        WHERE run.old AND run.number > coalesce(
            (SELECT anchor.number FROM audit_anchor AS anchor), 0) AND run.number < (SELECT max(number) FROM audit_chain));
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    INSERT INTO audit_anchor AS anchor (number, digest, at, let_go_at)
    VALUES (last.number, last.digest, last.at, clock_timestamp())
    ON CONFLICT (here) DO UPDATE SET number = excluded.number, digest = excluded.digest,
        at = excluded.at, let_go_at = excluded.let_go_at;
    DELETE FROM audit_chain WHERE number <= last.number;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- An answer that was kept was given again, and nothing done.
ALTER TABLE audit_chain
    DROP CONSTRAINT audit_chain_outcome_check,
    ADD CONSTRAINT audit_chain_outcome_check
        CHECK (outcome IN ('begun', 'done', 'refused', 'failed', 'repeated'));

ALTER FUNCTION set_projector_apart() RENAME TO set_all_but_anchor_apart;
CREATE FUNCTION set_projector_apart() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    in_the_way CONSTANT text := set_all_but_anchor_apart();
BEGIN
    IF in_the_way IS NULL THEN
        REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON audit_anchor FROM cardswitch_ordinary;
        EXECUTE format('ALTER FUNCTION let_audit_go(timestamptz, int4) SECURITY DEFINER '
            'SET search_path = %I, pg_temp', current_schema());
        REVOKE EXECUTE ON FUNCTION let_audit_go(timestamptz, int4) FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION let_audit_go(timestamptz, int4) TO cardswitch_ordinary;
    END IF;
    RETURN in_the_way;
END $$;
REVOKE EXECUTE ON FUNCTION set_projector_apart() FROM PUBLIC;
