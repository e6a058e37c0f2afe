-- Plastic cards of corporations: the partner's own name for the employee who gets one, which the card has once it is linked.
ALTER TABLE card_order ADD COLUMN reference_of_holder text;
