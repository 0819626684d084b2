-- up
ALTER TABLE orders ADD COLUMN clicks INTEGER NOT NULL DEFAULT 0;
CREATE INDEX orders_by_buyer ON orders (buyer);
-- down
DROP INDEX orders_by_buyer;
ALTER TABLE orders DROP COLUMN clicks;
