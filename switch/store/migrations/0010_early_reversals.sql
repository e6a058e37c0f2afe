-- For marked repeats of an original whose reversal came before it and is no longer in memory (W-21):
-- found by what the reversal says of its original. Few reversals come early, and only they are here.
CREATE INDEX authorization_event_early ON authorization_event (original_fingerprint, original_stan)
    WHERE kind = 'reversed' AND authorization_id IS NULL;
