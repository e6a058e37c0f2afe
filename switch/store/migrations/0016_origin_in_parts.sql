-- Trace numbers come round: an acquirer counts to 999999 and begins again, and many acquirers count
-- beside each other. Within a day, new entries of an index by `origin` alone therefore come to lie
-- everywhere, and every page of the whole day's index is written again and again: more than memory
-- holds on a busy day. The index is in parts instead, one after the other, each of the identifiers
-- that are equal but for their last 22 bits (about four million authorizations): one part is written
-- at a time. Who looks something up asks for each part that a day has; those are few, and look-ups
-- are rare.
DROP INDEX card_authorization_origin;
CREATE INDEX card_authorization_origin ON card_authorization ((id >> 22), origin);
-- Nobody knows which parts the rows have that came before their day had a partition; they are few.
CREATE INDEX card_authorization_rest_origin ON card_authorization_rest (origin);
