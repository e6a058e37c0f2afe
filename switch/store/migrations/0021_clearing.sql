-- Records of clearing files that were taken, by the file's own identifier: what tells a record that
-- comes again from another under the same number. Ordinary SQL of the management service. What a
-- record did to money stands in card_authorization and posting, as for an advice of a link.
CREATE TABLE clearing_record (
    file     text        NOT NULL,
    record   int8        NOT NULL,
    -- SHA-256 of the content, with the keyed hash of the card in the place of its number.
    digest   bytea       NOT NULL,
    -- What it came to; null until that is committed.
    outcome  text,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (file, record)
);
-- For those that are kept no longer: rows come in this order.
CREATE INDEX clearing_record_noted ON clearing_record USING brin (noted_at);
