-- What a person has to look at, and which of it the operator was told.

CREATE TABLE projections.alarms_standings (
    register_id        uuid PRIMARY KEY,
    company_id         uuid NOT NULL,
    business_unit_id   uuid NOT NULL,
    fiscal_number      text NOT NULL,
    shift_id           uuid,
    elsewhere_shift_id uuid,
    subject_id         uuid,
    subject_kind       text,
    parked             text
) WITH (fillfactor = 50);

CREATE TABLE projections.alarms (
    alarm_id         uuid        PRIMARY KEY,
    kind             text        NOT NULL,
    register_id      uuid        NOT NULL,
    company_id       uuid        NOT NULL,
    business_unit_id uuid        NOT NULL,
    register_fiscal_number text  NOT NULL,
    shift_id         uuid,
    raised_at        timestamptz NOT NULL,
    reason           text        NOT NULL,
    server_code      integer,
    server_text      text,
    differences      jsonb       NOT NULL,
    resolved_at      timestamptz,
    resolved_by      text,
    resolution       text
);
CREATE INDEX alarms_by_time ON projections.alarms (raised_at DESC, alarm_id DESC);
CREATE INDEX alarms_unresolved ON projections.alarms (register_id, kind) WHERE resolved_at IS NULL;

-- Not a read model: an alarm made again from the events has the same id, so nobody is told twice.
CREATE TABLE alarm_deliveries (
    alarm_id     uuid        NOT NULL,
    channel      text        NOT NULL,
    delivered_at timestamptz NOT NULL,
    PRIMARY KEY (alarm_id, channel)
);
GRANT SELECT, INSERT ON alarm_deliveries TO fiscal_app;
