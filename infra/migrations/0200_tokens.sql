-- Bearer tokens of the API: only their hashes. A handful of rows, so no shard.

CREATE TABLE tokens (
    token_id   uuid        PRIMARY KEY,
    sha256     bytea       NOT NULL UNIQUE CHECK (length(sha256) = 32),
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
    role       text        NOT NULL CHECK (role IN ('administrator', 'cashier', 'auditor', 'service')),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

-- One valid token a name: a list of tokens then tells people apart.
CREATE UNIQUE INDEX tokens_valid_name ON tokens (name) WHERE revoked_at IS NULL;

GRANT SELECT, INSERT, UPDATE (revoked_at) ON tokens TO fiscal_app;
