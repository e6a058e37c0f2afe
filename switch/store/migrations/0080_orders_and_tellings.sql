-- Where a processor elsewhere makes the card of an order: as it was when the order was given to it, for under its reference it is asked for the same each time.
ALTER TABLE card_profile ADD COLUMN terminal text;
ALTER TABLE card_order ADD COLUMN terminal text;

-- How often something was asked about a card's lock or month: whoever is answered ends the doubt only where nobody has asked since.
ALTER TABLE processor_telling ADD COLUMN doubts int8 NOT NULL DEFAULT 0;

-- What processors were told before there were these rows is not known: it is told once more when something becomes of the card.
INSERT INTO processor_telling (card_id, is_active, lock_in_doubt, waits, waits_since, next_at)
    SELECT card_id, form = 'VIRTUAL', true, false, now(), now() FROM card_profile
    WHERE card_id IS NOT NULL AND processor <> 'in-process'
    ON CONFLICT (card_id) DO NOTHING;
