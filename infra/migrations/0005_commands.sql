-- Commands that were carried out, so that a repetition gets the first answer; kept as long as the fiscal record.

CREATE TABLE commands (
    recorded_at timestamptz NOT NULL DEFAULT now(),
    shard       smallint    NOT NULL,
    scope       text        NOT NULL,
    key         text        NOT NULL,
    body_hash   bytea       NOT NULL,
    result      bytea       NOT NULL, -- JSON
    PRIMARY KEY (shard, scope, key)
) WITH (
    autovacuum_freeze_min_age = 0,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

GRANT SELECT, INSERT ON commands TO fiscal_app;
