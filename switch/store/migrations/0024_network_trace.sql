-- By what the card network links the messages of one transaction (`[network_trace]` of a dialect): of an
-- authorization its own, of a reversal that of what it speaks of. Null where the message has none, and
-- so for all that was written before. What belongs together is found by
--     SELECT * FROM card_authorization WHERE network_trace = '300000000000042';
-- which is asked for where neither the original data elements nor the fields in common lead to
-- anything (W-21). No question is one of order: bytes are compared, not letters.
ALTER TABLE card_authorization ADD COLUMN network_trace text COLLATE "C";
ALTER TABLE authorization_event ADD COLUMN original_network_trace text COLLATE "C";

-- In parts, as that by `origin` (migration 0016), and of those rows alone that have one: an
-- authorization without it pays nothing. Networks give such identifiers in no order that we know.
CREATE INDEX card_authorization_trace ON card_authorization ((id >> 22), network_trace)
    WHERE network_trace IS NOT NULL;
CREATE INDEX card_authorization_rest_trace ON card_authorization_rest (network_trace)
    WHERE network_trace IS NOT NULL;
