-- What an authorization advice came to (agreed, forced, suspense, declined, known, reversed), and the
-- reason that belongs to some of them: why it would have been declined here, or cannot be held. Null
-- for requests, and so for all that was written before. What people have to look at is found by
--     SELECT * FROM card_authorization WHERE stand_in = 'suspense' AND decided_at >= '2026-11-26';
ALTER TABLE card_authorization ADD COLUMN stand_in text, ADD COLUMN would_be text;

-- For advices whose reversal came before them and is no longer in memory (W-21). It may have found
-- their request, which had been declined: what counts is that it gave nothing back.
DROP INDEX authorization_event_early;
CREATE INDEX authorization_event_early ON authorization_event (original_fingerprint, original_stan)
    WHERE kind = 'reversed' AND reversed IS NULL;
