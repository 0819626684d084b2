"""Shop 1.0: takes orders."""
VERSION = "1.0"
NEEDS_SCHEMA = 1
FEATURES = []
PRICES = {1: 250, 2: 400}


def order(item, _is_on):
    return {"item": item, "price": PRICES.get(item, 100), "paid": "by card"}
