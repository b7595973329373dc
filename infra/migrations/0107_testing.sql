-- Test shifts: their receipts are marked, and their sums stand beside the fiscal ones, never among them.
-- What a projection wrote before knew no test shift of ours; `fiscal projections rebuild` also marks adopted ones.

ALTER TABLE projections.balances_standings  ADD COLUMN testing boolean NOT NULL DEFAULT false;
ALTER TABLE projections.shifts_standings    ADD COLUMN testing boolean NOT NULL DEFAULT false;
ALTER TABLE projections.receipts_standings  ADD COLUMN testing boolean NOT NULL DEFAULT false;
ALTER TABLE projections.documents_standings ADD COLUMN testing boolean NOT NULL DEFAULT false;
ALTER TABLE projections.alarms_standings    ADD COLUMN testing boolean NOT NULL DEFAULT false;

ALTER TABLE projections.receipts ADD COLUMN testing boolean NOT NULL DEFAULT false;

ALTER TABLE projections.balances_open ADD COLUMN testing boolean NOT NULL DEFAULT false;
ALTER TABLE projections.balances_payments
    ADD COLUMN testing boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT balances_payments_pkey,
    ADD PRIMARY KEY (register_id, shift_id, testing, kind, state, form_code, form_name);
ALTER TABLE projections.balances_receipts
    ADD COLUMN testing boolean NOT NULL DEFAULT false,
    DROP CONSTRAINT balances_receipts_pkey,
    ADD PRIMARY KEY (register_id, shift_id, testing, kind, state);
