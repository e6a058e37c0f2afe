-- Corporations: companies of partners, whether they were verified (KYB), and the documents that was decided by. Ordinary
-- SQL of the management service.

-- To the shards a corporation is a customer, whose accounts and cards it has; to everybody outside it is none.
ALTER TABLE customer ADD COLUMN is_corporation boolean NOT NULL DEFAULT false;

CREATE TABLE corporation (
    -- What it is to the shards; the public_id of that row is its `dcCorporationId`.
    customer_id         int8        PRIMARY KEY,
    partner_id          int8        NOT NULL,
    -- The partner's own name for it.
    reference           text,
    state               text        NOT NULL DEFAULT 'PENDING'
        CHECK (state IN ('PENDING', 'APPROVED', 'REJECTED', 'ON_HOLD')),
    created_at          timestamptz NOT NULL,
    -- Since when it is in its state.
    since               timestamptz NOT NULL,
    legal_name          text        NOT NULL,
    registration_number text        NOT NULL,
    -- Where it is registered: ISO 3166-1 alpha-2.
    country             text        NOT NULL,
    street              text        NOT NULL,
    city                text        NOT NULL,
    postal_code         text        NOT NULL,
    -- Whom to ask: a person.
    contact_name        text,
    email               text,
    phone               text,
    UNIQUE (partner_id, reference)
);
CREATE INDEX corporation_of_partner ON corporation (partner_id, customer_id);
CREATE INDEX corporation_by_state ON corporation (state, customer_id);

-- Every move of a corporation's verification.
CREATE TABLE kyb_move (
    id          int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id int8        NOT NULL,
    at          timestamptz NOT NULL,
    -- The operator, as the audit names them.
    by_name     text        NOT NULL,
    from_state  text        NOT NULL,
    to_state    text        NOT NULL,
    note        text        NOT NULL
);
CREATE INDEX kyb_move_of ON kyb_move (customer_id, id);

-- Documents, as lists tell of them.
CREATE TABLE corporation_document (
    id          int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id   uuid        NOT NULL UNIQUE,
    customer_id int8        NOT NULL,
    kind        text        NOT NULL,
    -- As whoever sent it calls it.
    file_name   text        NOT NULL,
    -- Of what is in it, and not of what was said of it.
    media_type  text        NOT NULL,
    bytes       int4        NOT NULL,
    sha256      bytea       NOT NULL CHECK (length(sha256) = 32),
    sent_at     timestamptz NOT NULL,
    sent_by     text        NOT NULL,
    UNIQUE (customer_id, sha256)
);
CREATE INDEX corporation_document_of ON corporation_document (customer_id, id);

-- What is in them, sealed under the key of documents and bound to its row; no list reads it.
CREATE TABLE corporation_document_content (
    document_id int8  PRIMARY KEY,
    sealed      bytea NOT NULL
);
-- It is cipher text: to compress it costs time alone.
ALTER TABLE corporation_document_content ALTER COLUMN sealed SET STORAGE EXTERNAL;
