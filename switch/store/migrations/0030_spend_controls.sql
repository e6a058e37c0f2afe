-- Spend controls of cards, accounts and programmes. `terms` is the whole of one, as the journal has it;
-- the columns beside it are for people and for who looks for one.
CREATE TABLE spend_control (
    id         int8  PRIMARY KEY,
    shard      int4  NOT NULL,
    -- card, balance, programme
    subject    text  NOT NULL,
    subject_id int8  NOT NULL,
    name       text  NOT NULL,
    shadow     bool  NOT NULL,
    terms      bytea NOT NULL,
    as_of_seq  int8  NOT NULL
);
CREATE INDEX spend_control_subject ON spend_control (subject_id);

-- What was used of limits: by control, by the card or account whose limit it is, and by the part of
-- its window (a day, a month, a merchant). Parts that no longer count are deleted when the next
-- purchase begins to count.
CREATE TABLE control_usage (
    control_id int8 NOT NULL,
    holder     int8 NOT NULL,
    part       int8 NOT NULL,
    shard      int4 NOT NULL,
    amount     int8 NOT NULL,
    count      int4 NOT NULL,
    as_of_seq  int8 NOT NULL,
    PRIMARY KEY (control_id, holder, part)
) WITH (fillfactor = 70);

-- Where the merchant is, by ISO 3166-1; where the authorization counts towards limits, as the journal
-- has it; which control declined it, and which in shadow would have. Null for most.
ALTER TABLE card_authorization ADD COLUMN country int2, ADD COLUMN counted bytea,
    ADD COLUMN declined_by int8, ADD COLUMN would_decline int8[];

-- As in migration 0023, and the projector alone writes the two new tables.
CREATE OR REPLACE FUNCTION set_projector_apart() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    in_the_way CONSTANT text := set_tables_apart();
BEGIN
    IF in_the_way IS NULL THEN
        GRANT SELECT ON card_authorization_rest TO cardswitch_ordinary, cardswitch_projector;
        REVOKE INSERT, UPDATE, DELETE ON spend_control, control_usage FROM cardswitch_ordinary;
        GRANT INSERT, UPDATE, DELETE ON spend_control, control_usage TO cardswitch_projector;
    END IF;
    RETURN in_the_way;
END $$;
