-- Processors elsewhere: in which order they are told of a card, whose plastic is made with which of their
-- numbers, and who chose them. Ordinary SQL of the management service; no card number stands here.

-- Taken under the card's row, and never given back: of two things that a processor is told of one card, the
-- later has the higher turn, whatever became of the transaction that took it.
CREATE SEQUENCE processor_turn;
ALTER FUNCTION set_projector_apart() RENAME TO set_all_but_turns_apart;
CREATE FUNCTION set_projector_apart() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    in_the_way CONSTANT text := set_all_but_turns_apart();
BEGIN
    IF in_the_way IS NULL THEN
        GRANT USAGE ON SEQUENCE processor_turn TO cardswitch_ordinary;
    END IF;
    RETURN in_the_way;
END $$;
REVOKE EXECUTE ON FUNCTION set_projector_apart() FROM PUBLIC;

-- Who made the number of an order, and what the card is called there; null: no number is drawn yet, or by the
-- switch itself.
ALTER TABLE card_order
    ADD COLUMN processor           text,
    ADD COLUMN processor_reference text;

-- What `programme_processor` became, and by whom; null: the switch itself again.
CREATE TABLE programme_processor_change (
    id           int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    programme_id int8        NOT NULL,
    processor    text,
    changed_at   timestamptz NOT NULL,
    changed_by   text        NOT NULL
);
CREATE INDEX programme_processor_change_of ON programme_processor_change (programme_id, id);
