-- Exchange rates: what one major unit of a currency is worth in major units of another, by their ISO
-- 4217 numbers; who quoted it, and when. The one in force of each pair; those before it are in the
-- audit, and beside what was converted by them.
CREATE TABLE exchange_rate (
    from_currency int2        NOT NULL,
    to_currency   int2        NOT NULL,
    shard         int4        NOT NULL,
    rate          numeric     NOT NULL,
    source        text        NOT NULL,
    at            timestamptz NOT NULL,
    as_of_seq     int8        NOT NULL,
    PRIMARY KEY (from_currency, to_currency)
);

-- On which terms a programme takes amounts in other currencies, in basis points; null where it does
-- not.
ALTER TABLE programme ADD COLUMN foreign_markup int2, ADD COLUMN foreign_margin int2,
    ADD COLUMN foreign_marks_up_network bool;

-- The projector alone writes the new table, as all that were set apart before it.
ALTER FUNCTION set_projector_apart() RENAME TO set_all_but_rates_apart;
CREATE FUNCTION set_projector_apart() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    in_the_way CONSTANT text := set_all_but_rates_apart();
BEGIN
    IF in_the_way IS NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON exchange_rate FROM cardswitch_ordinary;
        GRANT INSERT, UPDATE, DELETE ON exchange_rate TO cardswitch_projector;
    END IF;
    RETURN in_the_way;
END $$;
