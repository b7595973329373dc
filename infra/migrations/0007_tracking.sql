-- How far each projection has read, written in the transaction that writes its rows.

CREATE TABLE tracking (
    projection text        PRIMARY KEY,
    positions  bigint[]    NOT NULL CHECK (cardinality(positions) = 64), -- by shard, from 0
    updated_at timestamptz NOT NULL DEFAULT now(),
    failed_at  timestamptz, -- since when the projection stands still
    failure    text         -- and why
) WITH (
    fillfactor = 10,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000
);

GRANT SELECT, INSERT, UPDATE, DELETE ON tracking TO fiscal_app;
