-- One row a register: whether its documents have work, and who works on them.

CREATE TABLE lanes (
    register_id uuid     NOT NULL,
    epoch       bigint   NOT NULL DEFAULT 0, -- raised by each claim; fences the claimant's commits
    due_at      timestamptz,                 -- work from then on; null: none, or all of it is being done
    lease_until timestamptz,                 -- held until then; null: free
    shard       smallint NOT NULL,
    failures    integer  NOT NULL DEFAULT 0, -- in a row
    owner       text,
    reason      text,                        -- why it waits
    parked      text,                        -- why it is stopped until a person acts
    PRIMARY KEY (shard, register_id)
) WITH (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.05
);

-- When somebody has to look at a lane next: when its work is due, or when the lease on it runs out.
CREATE INDEX lanes_wake ON lanes ((coalesce(lease_until, due_at)))
    WHERE parked IS NULL AND (lease_until IS NOT NULL OR due_at IS NOT NULL);

GRANT SELECT, INSERT, UPDATE ON lanes TO fiscal_app;
