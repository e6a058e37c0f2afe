-- Cards that are renewed: the same card with a later month. Ordinary SQL of the management service.

-- Renewals of virtual cards, for which no plastic is made. A row is there before the shard is asked, and says to
-- which month: so that what was cut off is, asked again, the same renewal.
CREATE TABLE card_renewal (
    -- The name of the request.
    order_id   uuid        PRIMARY KEY,
    card_id    int8        NOT NULL,
    -- YYMM, from then on.
    expiry     int2        NOT NULL,
    asked_at   timestamptz NOT NULL,
    -- Null until the shard has done it.
    renewed_at timestamptz
);
-- One at a time.
CREATE UNIQUE INDEX card_renewal_open ON card_renewal (card_id) WHERE renewed_at IS NULL;

-- Orders of plastic that takes the place of plastic of the same card.
CREATE TABLE card_order_renewal (
    -- Of `card_order`.
    reference    uuid        PRIMARY KEY,
    card_id      int8        NOT NULL,
    -- Since then it is the card's plastic.
    activated_at timestamptz
);
CREATE INDEX card_order_renewal_of ON card_order_renewal (card_id);
