-- Attempts at guessing cards (T-13): which limits were reached, who was blocked for it, and who took
-- a block back. Ordinary SQL of the management service; rows are added, and let go when they are old.
-- Blocks in force are found here by the next start.
CREATE TABLE attack_event (
    id        int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL,
    -- alarm, blocked, not_blocked, ended, lifted
    what      text        NOT NULL,
    -- The switch itself, or who took a block back.
    actor     text        NOT NULL,
    -- Whom it is of: pair (of merchant and BIN), merchant, bin, acquirer
    subject   text        NOT NULL,
    -- The first BIN of the programme.
    bin       int4,
    -- DE32, or the link where messages name none.
    acquirer  text,
    link      int4,
    merchant  text,
    -- unknown_card, wrong_expiry, wrong_code, small_amount
    kind      text        NOT NULL,
    count     int8        NOT NULL,
    threshold int8        NOT NULL,
    -- Of a block: when it ends by itself, and whether it refuses nothing.
    until     timestamptz,
    shadow    boolean     NOT NULL DEFAULT false,
    -- Of one that is over: attempts that met it.
    met       int8
);
CREATE INDEX attack_event_at ON attack_event (at);
