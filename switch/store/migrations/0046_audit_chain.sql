-- What was done over the management API, and who read card data: a record each, whose digest covers the
-- record before it. Rows are added and nothing else: the ordinary role can neither change nor remove them.
CREATE TABLE audit_chain (
    -- One after the other, without a gap.
    number     int8        PRIMARY KEY CHECK (number > 0),
    at         timestamptz NOT NULL,
    -- Who: a partner and its certificate, a customer, an operator, a command; `nobody` where that is not known.
    actor      text        NOT NULL CHECK (actor <> ''),
    -- What: a method and the path's template.
    act        text        NOT NULL CHECK (act <> ''),
    -- begun, done, refused, failed.
    outcome    text        NOT NULL CHECK (outcome IN ('begun', 'done', 'refused', 'failed')),
    -- From where: an address.
    origin     text        NOT NULL CHECK (origin <> ''),
    -- About what: identifiers, never a card number.
    object     text        NOT NULL CHECK (object <> ''),
    request_id text        NOT NULL,
    -- The problem's code, where it was not done.
    code       text,
    digest     bytea       NOT NULL CHECK (length(digest) = 32)
);
CREATE INDEX audit_chain_by_request ON audit_chain (request_id);

ALTER FUNCTION set_projector_apart() RENAME TO set_all_but_audit_apart;
CREATE FUNCTION set_projector_apart() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    in_the_way CONSTANT text := set_all_but_audit_apart();
BEGIN
    IF in_the_way IS NULL THEN
        REVOKE UPDATE, DELETE, TRUNCATE ON audit_chain FROM cardswitch_ordinary;
    END IF;
    RETURN in_the_way;
END $$;
REVOKE EXECUTE ON FUNCTION set_projector_apart() FROM PUBLIC;
