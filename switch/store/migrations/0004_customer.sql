-- End users, made by the management service in ordinary SQL (design section 3).
CREATE TABLE customer (
    id         int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id int8        NOT NULL,
    -- The partner's own name for the customer.
    reference  text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (partner_id, reference)
);
