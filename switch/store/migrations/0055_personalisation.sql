-- Plastic cards: what was ordered, in which file it went to the bureau, and what the bureau's reports
-- said. Ordinary SQL of the management service. No card number stands here: an order names its row of
-- the vault.

-- Files for the bureau.
CREATE TABLE perso_run (
    id      uuid        PRIMARY KEY,
    made_at timestamptz NOT NULL,
    -- When its file was written; null: it is put together.
    sent_at timestamptz,
    -- SHA-256 of the file.
    digest  bytea       CHECK (octet_length(digest) = 32),
    records int4
);
CREATE INDEX perso_run_open ON perso_run (made_at) WHERE sent_at IS NULL;

CREATE TABLE card_order (
    -- Ours, towards whoever asks and towards the bureau: the same request is the same order.
    reference       uuid        PRIMARY KEY,
    partner_id      int8        NOT NULL,
    customer_id     int8        NOT NULL,
    balance_id      int8        NOT NULL,
    -- The card that this is to be plastic of (A-01); null: it gets a number of its own.
    physical_of     int8,
    state           text        NOT NULL
        CHECK (state IN ('ORDERED', 'SENT', 'PERSONALISED', 'LINKED', 'REFUSED')),
    -- Why there will be no card: a code of problems.
    refusal         text,
    ordered_at      timestamptz NOT NULL,
    ordered_by      text        NOT NULL,
    -- YYMM.
    expiry          int2        NOT NULL,
    service_code    int2        NOT NULL,
    sequence        int2        NOT NULL,
    run_id          uuid,
    -- The row of the vault: reserved when its number is drawn.
    vault_row       int8        UNIQUE,
    tracking_number text,
    personalised_at timestamptz,
    -- Linking that did not succeed is tried again.
    attempts        int4        NOT NULL DEFAULT 0,
    next_at         timestamptz,
    card_id         int8,
    linked_at       timestamptz,
    way             text        NOT NULL CHECK (way IN ('POST', 'COURIER')),
    -- Personal data: null once they are no longer needed.
    holder_name     text,
    addressee       text,
    street          text,
    city            text,
    postal_code     text,
    country         text,
    phone           text,
    forgotten_at    timestamptz,
    CHECK ((card_id IS NULL) = (linked_at IS NULL)),
    CHECK ((refusal IS NULL) = (state <> 'REFUSED'))
);
CREATE INDEX card_order_of_customer ON card_order (customer_id, ordered_at);
CREATE INDEX card_order_waiting ON card_order (ordered_at) WHERE state = 'ORDERED';
CREATE INDEX card_order_open ON card_order (state) WHERE state NOT IN ('LINKED', 'REFUSED');
CREATE INDEX card_order_of_run ON card_order (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX card_order_unlinked ON card_order (next_at) WHERE state = 'PERSONALISED';
CREATE INDEX card_order_remembered ON card_order (ordered_at) WHERE forgotten_at IS NULL;

-- Reports of the bureau that were read, by what was in them: none is read twice.
CREATE TABLE perso_report (
    digest   bytea       PRIMARY KEY CHECK (octet_length(digest) = 32),
    name     text        NOT NULL,
    read_at  timestamptz NOT NULL,
    -- Why the report was rejected whole, where it was.
    fault    text,
    taken    int4        NOT NULL,
    repeated int4        NOT NULL,
    rejected int4        NOT NULL
);
CREATE INDEX perso_report_read ON perso_report (read_at);
