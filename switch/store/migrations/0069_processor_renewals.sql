-- Renewals of cards whose processor is elsewhere: until when it knows a card to be good.

ALTER TABLE processor_telling
    -- Whether the card was ever renewed: before that its month is that of its making, which its processor knows.
    ADD COLUMN was_renewed bool NOT NULL DEFAULT false,
    -- The month of the last renewal that was told.
    ADD COLUMN renewed_to  int2;
