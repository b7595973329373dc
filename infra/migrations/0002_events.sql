-- The log: what happened, per stream and per shard, and how far each shard's log reaches.

-- One row a shard. Whoever appends locks it, so positions are contiguous and appear in order.
CREATE TABLE heads (
    shard    smallint PRIMARY KEY CHECK (shard BETWEEN 0 AND 63),
    position bigint   NOT NULL DEFAULT 0
) WITH (
    -- Room for the many short-lived versions of each row, so that they never reach the index.
    fillfactor = 10,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000
);
INSERT INTO heads (shard) SELECT generate_series(0, 63);

CREATE TABLE events (
    position    bigint      NOT NULL CHECK (position > 0),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    stream_id   uuid        NOT NULL,
    version     integer     NOT NULL CHECK (version > 0),
    shard       smallint    NOT NULL,
    topic       text        NOT NULL,
    chain       bytea       NOT NULL CHECK (length(chain) = 32),
    state       bytea       NOT NULL,
    PRIMARY KEY (shard, stream_id, version),
    UNIQUE (shard, position)
) WITH (
    -- States are compressed by the writer; kept in the row while they fit a page.
    toast_tuple_target = 8160,
    -- Rows never change: each is frozen in the vacuum that follows its insert.
    autovacuum_freeze_min_age = 0,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE events ALTER COLUMN state SET STORAGE EXTERNAL;
ALTER TABLE events ALTER COLUMN chain SET STORAGE PLAIN;

CREATE TRIGGER events_are_final
    BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_final;

GRANT SELECT, UPDATE ON heads TO fiscal_app;
GRANT SELECT, INSERT ON events TO fiscal_app;
