-- End users as the management API knows them: personal data, whether they were verified (KYC), and
-- the names that their accounts have outside. Ordinary SQL of the management service.

-- What paths name, instead of a number that tells how many there are.
ALTER TABLE customer ADD COLUMN public_id uuid NOT NULL DEFAULT gen_random_uuid();
CREATE UNIQUE INDEX customer_public_id ON customer (public_id);
-- A partner need not have a name of its own for a customer.
ALTER TABLE customer ALTER COLUMN reference DROP NOT NULL;
-- Personal data; all null of one that was registered by command, and once it was removed.
ALTER TABLE customer
    ADD COLUMN given_name  text,
    ADD COLUMN family_name text,
    ADD COLUMN birth_date  date,
    ADD COLUMN email       text,
    ADD COLUMN phone       text,
    ADD COLUMN street      text,
    ADD COLUMN city        text,
    ADD COLUMN postal_code text,
    ADD COLUMN country     text,
    ADD COLUMN language    text,
    -- Counts changes: who changes it names what it has seen.
    ADD COLUMN version     int8        NOT NULL DEFAULT 1,
    ADD COLUMN kyc_state   text        NOT NULL DEFAULT 'NOT_STARTED',
    ADD COLUMN removed_at  timestamptz;
CREATE INDEX customer_of_partner ON customer (partner_id, id);

-- Every move of a customer's verification.
CREATE TABLE kyc_move (
    id          int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id int8        NOT NULL,
    at          timestamptz NOT NULL,
    -- partner, customer, operator, provider
    by_kind     text        NOT NULL,
    by_name     text        NOT NULL,
    from_state  text        NOT NULL,
    to_state    text        NOT NULL,
    note        text        NOT NULL
);
CREATE INDEX kyc_move_of ON kyc_move (customer_id, id);

-- What a provider is to be asked, and how far that is. A row goes when there is an outcome.
CREATE TABLE kyc_inquiry (
    customer_id int8        PRIMARY KEY,
    -- The provider's to tell repeats by.
    inquiry     uuid        NOT NULL UNIQUE,
    attempts    int4        NOT NULL DEFAULT 0,
    next_at     timestamptz NOT NULL,
    deadline    timestamptz NOT NULL,
    -- No more asked: a person has to look.
    given_up    boolean     NOT NULL DEFAULT false
);
CREATE INDEX kyc_inquiry_due ON kyc_inquiry (next_at) WHERE NOT given_up;

-- What a partner chose, where that is not the default of the configuration.
CREATE TABLE partner_settings (
    partner_id           int8    PRIMARY KEY,
    -- own, manual, automated
    kyc_mode             text    NOT NULL,
    registered_keys_only boolean NOT NULL DEFAULT false
);

-- What an account is called outside.
CREATE TABLE balance_handle (
    balance_id  int8 PRIMARY KEY,
    public_id   uuid NOT NULL UNIQUE,
    partner_id  int8 NOT NULL,
    customer_id int8 NOT NULL
);
CREATE INDEX balance_handle_of ON balance_handle (customer_id);

-- A customer's accounts and their cards. Neither column ever changes, so that no update of a row
-- that moves pays for these.
CREATE INDEX balance_of_customer ON balance (customer_id);
CREATE INDEX card_of_balance ON card (balance_id);
