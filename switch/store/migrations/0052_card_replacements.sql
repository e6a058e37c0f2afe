-- Cards that come in another's place. Ordinary SQL of the management service.

-- A card is replaced once: by whom, whatever is made. A row is of account as long as its order is
-- there and was not refused; then the next order of the same card takes it.
CREATE TABLE card_replacement (
    -- The card in whose place one comes.
    replaces int8        PRIMARY KEY,
    -- Of `card_profile`, or of `card_order` where plastic is made.
    order_id uuid        NOT NULL UNIQUE,
    asked_at timestamptz NOT NULL
);
