-- What was granted of an authorization where that is not just what it asked for: the approved amount,
-- and the acquirer's fee on top of it. Both null for most.
ALTER TABLE card_authorization ADD COLUMN approved int8, ADD COLUMN fee int8;

-- From which amount on a part of a purchase is approved, as `978:500 392:1000`: minor units by currency.
-- Null where nothing is approved in part.
ALTER TABLE partner ADD COLUMN partial_minimums text;
