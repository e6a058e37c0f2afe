-- Alarms of partners' pools, and e-mail. Ordinary SQL of the management service: what a pool has left is not here.

CREATE TABLE pool_alert (
    pool_id    int8        PRIMARY KEY,
    partner_id int8        NOT NULL,
    -- Minor units: below so much available there is an alarm; null: there is none.
    below      int8        CHECK (below > 0),
    -- Who is told by e-mail.
    addresses  text[]      NOT NULL,
    -- ARMED: what is available was not below it when it was last looked at; FIRED: it was, and that was told, or
    -- there never was more in it.
    state      text        NOT NULL DEFAULT 'ARMED' CHECK (state IN ('ARMED', 'FIRED')),
    fired_at   timestamptz,
    -- Counts changes by people: who changes it names what they have seen.
    version    int8        NOT NULL
);

CREATE TABLE mail_message (
    id         int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- In `Message-ID`: the same with each try.
    public_id  uuid        NOT NULL UNIQUE,
    partner_id int8        NOT NULL,
    recipient  text        NOT NULL,
    subject    text        NOT NULL,
    body       text        NOT NULL,
    made_at    timestamptz NOT NULL,
    state      text        NOT NULL DEFAULT 'WAITING' CHECK (state IN ('WAITING', 'SENT', 'FAILED')),
    tries      int4        NOT NULL DEFAULT 0,
    -- When it is tried, or tried again: while a try is under way, when another would take it over.
    next_at    timestamptz NOT NULL,
    ended_at   timestamptz,
    CHECK ((ended_at IS NULL) = (state = 'WAITING'))
);
CREATE INDEX mail_message_due ON mail_message (next_at) WHERE state = 'WAITING';
CREATE INDEX mail_message_ended ON mail_message (ended_at) WHERE ended_at IS NOT NULL;
