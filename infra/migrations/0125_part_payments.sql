-- Part payments: which part of a price a receipt takes and what the price is; payments made elsewhere that are to be
-- counted on their prepayment. Before this there were none of ours; `fiscal projections rebuild` shows adopted ones.

ALTER TABLE projections.receipts
    ADD COLUMN part         text,
    ADD COLUMN full_kopecks bigint;

ALTER TABLE projections.returns ADD COLUMN pays boolean NOT NULL DEFAULT false;
