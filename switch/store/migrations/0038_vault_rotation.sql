-- The rows of a key are found: to count them, and before it is retired.
CREATE INDEX pan_vault_by_key ON pan_vault (key_id);

-- `version` is of the number, and records of the journal name it: it stays when the same number is encrypted
-- again. Which key a row is under says key_id alone.
COMMENT ON COLUMN pan_vault.version IS 'of the number; not changed by encrypting it again';

-- A key that no row is under any more, and none can come under: an insertion takes a share lock of its key's
-- row here, and a retirement writes it before it counts.
ALTER TABLE vault_key ADD COLUMN retired_at timestamptz;
