-- Of an authorization that was converted: what its message asked for (all other amounts of the row are
-- of the account's currency), by which rate and whose, what is settled with the network where that was
-- said, and the whole of the conversion, as the journal has it, with mark-up and margin. Null for most: a row without them pays nothing.
ALTER TABLE card_authorization ADD COLUMN transaction_amount int8,
    ADD COLUMN transaction_currency int2, ADD COLUMN rate text, ADD COLUMN rate_source text,
    ADD COLUMN settlement_amount int8, ADD COLUMN settlement_currency int2,
    ADD COLUMN conversion bytea;
