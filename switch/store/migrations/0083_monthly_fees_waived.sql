-- From what spending of a month on a card pays no monthly fee, in minor units; null: it always pays.
ALTER TABLE programme_fees ADD COLUMN monthly_waived_from int8;
