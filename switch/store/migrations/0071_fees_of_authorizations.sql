-- Where the fees of a purchase stand, in the currency of its account; null where it never had any.
-- `fees_authorized` is what was held for them when it was granted, and never changes: the others are
-- what is held now, what was taken out of the account, and what was put down for the invoice.
ALTER TABLE card_authorization ADD COLUMN fees_authorized int8, ADD COLUMN fees_held int8,
    ADD COLUMN fees_charged int8, ADD COLUMN fees_invoiced int8;
