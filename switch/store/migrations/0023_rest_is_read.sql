-- Who looks up what memory let go asks the partition of no day by its own name, for the index that it
-- alone has (migration 0016), and under the ordinary role that was refused: rights were given to
-- tables, and partitions are reached by them. So every look-up of an authorization failed wherever
-- the roles are apart, and what waited for it was not answered.
ALTER FUNCTION set_projector_apart() RENAME TO set_tables_apart;

-- As before, and then what is asked for by the name of a partition. A later version that adds a table
-- which the projector writes replaces `set_tables_apart`.
CREATE FUNCTION set_projector_apart() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    in_the_way CONSTANT text := set_tables_apart();
BEGIN
    IF in_the_way IS NULL THEN
        GRANT SELECT ON card_authorization_rest TO cardswitch_ordinary, cardswitch_projector;
    END IF;
    RETURN in_the_way;
END $$;
REVOKE EXECUTE ON FUNCTION set_projector_apart() FROM PUBLIC;
