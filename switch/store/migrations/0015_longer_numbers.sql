-- ISO 8583:2003 has trace numbers of twelve digits.
ALTER TABLE card_authorization ALTER COLUMN stan TYPE int8;
ALTER TABLE authorization_event ALTER COLUMN stan TYPE int8, ALTER COLUMN original_stan TYPE int8;
