-- Where a processor elsewhere makes the card of an order: as it was when the order was given to it, for under its reference it is asked for the same each time.
ALTER TABLE card_profile ADD COLUMN terminal text;
ALTER TABLE card_order ADD COLUMN terminal text;
