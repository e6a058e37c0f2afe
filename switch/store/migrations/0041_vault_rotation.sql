-- The rows of a key are found: to count them, and before it is retired.
CREATE INDEX pan_vault_by_key ON pan_vault (key_id);

-- `version` is of the number, and records of the journal name it: it stays when the same number is encrypted
-- again. Which key a row is under says key_id alone.
COMMENT ON COLUMN pan_vault.version IS 'of the number; not changed by encrypting it again';

-- A key that no row is under any more, and none can come under: an insertion takes a share lock of its key's
-- row here, and a retirement writes it before it counts.
ALTER TABLE vault_key ADD COLUMN retired_at timestamptz;

-- A row's id is drawn before its number is encrypted, which is bound to it. Whoever inserts draws it by
-- name, and for that the ordinary role needs the right to the sequence beside that to the table.
ALTER FUNCTION set_projector_apart() RENAME TO set_all_but_vault_apart;
CREATE FUNCTION set_projector_apart() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    in_the_way CONSTANT text := set_all_but_vault_apart();
BEGIN
    IF in_the_way IS NULL THEN
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO cardswitch_ordinary',
            pg_get_serial_sequence('pan_vault', 'id'));
    END IF;
    RETURN in_the_way;
END $$;
REVOKE EXECUTE ON FUNCTION set_projector_apart() FROM PUBLIC;
