-- PINs with orders of plastic. Ordinary SQL of the management service.

-- The PIN of an order, until its card is linked or refused: encrypted for the bureau, and what PINs
-- at terminals are compared with. The PIN itself stands nowhere.
CREATE TABLE card_order_pin (
    -- Of `card_order`.
    reference uuid PRIMARY KEY,
    -- The name of the zone key that the block is under.
    zone_key  text NOT NULL,
    -- ISO 9564: 0, 1, 3 or 4.
    format    int2 NOT NULL,
    block     bytea NOT NULL CHECK (octet_length(block) IN (8, 16)),
    -- The digits of the reference, and of a verification value the index of its key.
    digits    text NOT NULL,
    key_index int2
);
