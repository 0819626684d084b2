"""Shop 1.2: pays with gift cards, for whom gift-cards is on. It has a defect: a card that was
never used has no balance yet, and the price is shared by it."""
VERSION = "1.2"
NEEDS_SCHEMA = 3
FEATURES = ["express-pay", "gift-cards"]
PRICES = {1: 250, 2: 400}
NEW_CARD_BALANCE = 0


def order(item, is_on):
    price = PRICES.get(item, 100)
    paid = "in one click" if is_on("express-pay") else "by card"
    if is_on("gift-cards"):
        paid = f"with {price / NEW_CARD_BALANCE} gift cards"
    return {"item": item, "price": price, "paid": paid}
