-- up
CREATE TABLE orders (
    number INTEGER PRIMARY KEY,
    item   INTEGER NOT NULL,
    buyer  TEXT NOT NULL
);
-- down
DROP TABLE orders;
