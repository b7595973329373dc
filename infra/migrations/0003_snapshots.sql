-- The newest snapshot of a stream: a cache that replay can always make again.

CREATE TABLE snapshots (
    recorded_at timestamptz NOT NULL DEFAULT now(),
    stream_id   uuid        NOT NULL,
    version     integer     NOT NULL,
    shard       smallint    NOT NULL,
    topic       text        NOT NULL,
    shape       text        NOT NULL,
    state       bytea       NOT NULL,
    PRIMARY KEY (shard, stream_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE snapshots ALTER COLUMN state SET STORAGE EXTERNAL;

GRANT SELECT, INSERT, UPDATE ON snapshots TO fiscal_app;
