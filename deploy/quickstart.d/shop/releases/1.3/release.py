"""Shop 1.3: takes no order at all. No validation may let it pass."""
VERSION = "1.3"
NEEDS_SCHEMA = 3
FEATURES = ["express-pay", "gift-cards", "broken"]


def order(item, _is_on):
    raise KeyError(f"nobody knows the price of {item}")
