-- Fees. The schedule of a programme is the control shard's: one row for what all its rules have in
-- common, and one for each rule, in the currency of the programme. Countries are ISO 3166 numbers.
CREATE TABLE programme_fees (
    programme_id int8   PRIMARY KEY,
    shard        int4   NOT NULL,
    currency     int2   NOT NULL,
    -- platform, or partner: then nothing is charged here, whatever the rules say.
    charged_by   text   NOT NULL,
    -- Null where no country is named: then everywhere is at home.
    home         int2,
    region       int2[] NOT NULL,
    as_of_seq    int8   NOT NULL
);

CREATE TABLE programme_fee_rule (
    programme_id int8 NOT NULL,
    -- As they were given, from 0.
    number       int2 NOT NULL,
    event        text NOT NULL,
    -- Null for cards of every form.
    form         text,
    fixed        int8 NOT NULL,
    -- Basis points of the amount.
    rate         int2 NOT NULL,
    least        int8 NOT NULL,
    most         int8,
    -- at_once, invoiced
    taken        text NOT NULL,
    PRIMARY KEY (programme_id, number)
);

-- Every fee that was charged, or, below zero, given back: of acts and periods by their own record,
-- of purchases by that which settles. Immutable; `idx` is the record's place in its journal row and
-- `line` the fee's in its record.
CREATE TABLE fees_charged (
    shard            int4        NOT NULL,
    seq              int8        NOT NULL,
    idx              int4        NOT NULL,
    line             int2        NOT NULL,
    at               timestamptz NOT NULL,
    partner_id       int8        NOT NULL,
    balance_id       int8        NOT NULL,
    card_id          int8,
    event            text        NOT NULL,
    amount           int8        NOT NULL,
    currency         int2        NOT NULL,
    taken            text        NOT NULL,
    reference        text        NOT NULL,
    -- Null for acts and periods.
    authorization_id int8,
    PRIMARY KEY (shard, seq, idx, line)
);
-- For the invoice of a month, and for an account.
CREATE INDEX fees_charged_of_partner ON fees_charged (partner_id, at);
CREATE INDEX fees_charged_of_balance ON fees_charged (balance_id, at);

-- The projector alone writes the new tables, as all that were set apart before them.
ALTER FUNCTION set_projector_apart() RENAME TO set_all_but_fees_apart;
CREATE FUNCTION set_projector_apart() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    in_the_way CONSTANT text := set_all_but_fees_apart();
BEGIN
    IF in_the_way IS NULL THEN
        REVOKE INSERT, UPDATE, DELETE ON programme_fees, programme_fee_rule, fees_charged
            FROM cardswitch_ordinary;
        GRANT INSERT, UPDATE, DELETE ON programme_fees, programme_fee_rule, fees_charged
            TO cardswitch_projector;
    END IF;
    RETURN in_the_way;
END $$;
REVOKE EXECUTE ON FUNCTION set_projector_apart() FROM PUBLIC;
