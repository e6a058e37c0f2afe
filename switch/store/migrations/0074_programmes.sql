-- Partners and programmes as operators set them up: what the shards need not know of them, and who changed what.
-- Ordinary SQL of the management service; name, state, numbers, currency and funding are the shards'.

-- Whom to call at a partner.
CREATE TABLE partner_profile (
    partner_id    int8 PRIMARY KEY,
    contact_name  text,
    contact_email text,
    contact_phone text
);

CREATE TABLE programme_profile (
    programme_id     int8 PRIMARY KEY,
    partner_id       int8 NOT NULL,
    -- What a processor calls the place where the programme's cards are made.
    terminal         text,
    -- What the partner calls the programme where it orders cards; null: by its number.
    configuration_id text,
    -- Alpha-2 code of ISO 3166-1.
    home_country     text,
    UNIQUE (partner_id, configuration_id)
);

-- What a partner or a programme was before a change and after it, as JSON. Texts, for the audit has their digest.
CREATE TABLE setup_change (
    id         int8        GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject    text        NOT NULL CHECK (subject IN ('PARTNER', 'PROGRAMME')),
    subject_id int8        NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text        NOT NULL,
    -- Null where it was made.
    before     text,
    after      text        NOT NULL,
    digest     bytea       NOT NULL CHECK (length(digest) = 32)
);
CREATE INDEX setup_change_of ON setup_change (subject, subject_id, id);
