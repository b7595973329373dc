-- What was taken off a receipt and its lines, negative where surcharges outweigh. Before this there were no discounts.

ALTER TABLE projections.receipts ADD COLUMN discount_kopecks bigint NOT NULL DEFAULT 0;
