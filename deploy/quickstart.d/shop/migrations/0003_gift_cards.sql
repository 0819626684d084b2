-- up
CREATE TABLE gift_cards (
    code    TEXT PRIMARY KEY,
    balance INTEGER NOT NULL
);
-- down
DROP TABLE gift_cards;
