"""Shop 1.1: pays in one click, for whom express-pay is on."""
VERSION = "1.1"
NEEDS_SCHEMA = 2
FEATURES = ["express-pay"]
PRICES = {1: 250, 2: 400}


def order(item, is_on):
    paid = "in one click" if is_on("express-pay") else "by card"
    return {"item": item, "price": PRICES.get(item, 100), "paid": paid}
