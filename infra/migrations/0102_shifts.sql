-- Shifts and their Z-reports.

CREATE TABLE projections.shifts_standings (
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

CREATE TABLE projections.shifts (
    shift_id              uuid        PRIMARY KEY,
    register_id           uuid        NOT NULL,
    company_id            uuid        NOT NULL,
    business_unit_id      uuid        NOT NULL,
    number                integer,
    state                 text        NOT NULL,
    adopted               boolean     NOT NULL,
    testing               boolean     NOT NULL,
    cashier_id            uuid,
    cashier_name          text,
    key_id                text,
    opened_at             timestamptz NOT NULL,
    opening_local_number  bigint,
    opening_fiscal_number text,
    opening_server_time   timestamptz,
    closing_requested_at  timestamptz,
    z_report_id           uuid,
    z_made_at             timestamptz,
    z_local_number        bigint,
    z_fiscal_number       text,
    z_server_time         timestamptz,
    z_refusal_code        integer,
    z_refusal_text        text,
    closing_local_number  bigint,
    closing_fiscal_number text,
    closing_server_time   timestamptz,
    closed_at             timestamptz,
    z_totals              jsonb,
    our_totals            jsonb,
    server_totals         jsonb,
    differences           jsonb       NOT NULL
);
CREATE INDEX shifts_by_time ON projections.shifts (opened_at DESC, shift_id DESC);
CREATE INDEX shifts_by_register ON projections.shifts (register_id, opened_at DESC, shift_id DESC);
CREATE INDEX shifts_by_unit ON projections.shifts (business_unit_id, opened_at DESC, shift_id DESC);
CREATE INDEX shifts_not_closed ON projections.shifts (opened_at DESC, shift_id DESC) WHERE state <> 'closed';
CREATE INDEX shifts_differing ON projections.shifts (opened_at DESC, shift_id DESC) WHERE differences <> '[]';
