-- How the cards of a programme are verified: names of keys, methods, what is needed where, as the journal
-- has it. Null where they are not.
ALTER TABLE programme ADD COLUMN security bytea;

-- What a card's values are compared with: service code, sequence number, PIN reference, generation of its
-- printed code. No key, no PIN and no value of a card. Null where nothing was set.
ALTER TABLE card ADD COLUMN reference bytea;

-- What was found out about card and holder, in words (`pin=mismatched cryptogram=matched kind=arqc atc=17`);
-- what was answered where the programme does not tell the reason. Null for most: a row without them pays
-- nothing. Wrong PINs of a day are found by
--     SELECT * FROM card_authorization WHERE evidence LIKE '%pin=mismatched%' AND decided_at >= '2026-11-27';
ALTER TABLE card_authorization ADD COLUMN evidence text, ADD COLUMN answered text;

-- What is counted of a card: wrong PINs since the last right one, and all counters as the journal has them
-- (wrong printed codes of a day, transaction counters of its chips). They move with every transaction of a
-- chip: they are flushed as amounts are, with room in every page.
CREATE TABLE card_counter (
    card_id   int8  PRIMARY KEY,
    shard     int4  NOT NULL,
    pin_tries int4  NOT NULL,
    counters  bytea NOT NULL,
    as_of_seq int8  NOT NULL
) WITH (fillfactor = 45);

-- The projector alone writes the new table, as all that were set apart before it.
ALTER FUNCTION set_projector_apart() RENAME TO set_all_but_counters_apart;
CREATE FUNCTION set_projector_apart() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    in_the_way CONSTANT text := set_all_but_counters_apart();
BEGIN
    IF in_the_way IS NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON card_counter FROM cardswitch_ordinary;
        GRANT INSERT, UPDATE, DELETE ON card_counter TO cardswitch_projector;
    END IF;
    RETURN in_the_way;
END $$;
