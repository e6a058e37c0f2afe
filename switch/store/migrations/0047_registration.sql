-- Under which key of the caller's a customer was registered: the same request finds the same customer,
-- though the process that began it ended before it answered.
ALTER TABLE customer ADD COLUMN registered_under bytea CHECK (length(registered_under) = 16);
CREATE UNIQUE INDEX customer_registered_under ON customer (partner_id, registered_under)
    WHERE registered_under IS NOT NULL;
