"""A safety code's digits, in rows that are easy to read out."""

_IN_A_ROW = 4


def rows(digits: str) -> list[str]:
    """Twelve groups of five as three rows."""
    groups = digits.split(" ")
    return ["  ".join(groups[at : at + _IN_A_ROW]) for at in range(0, len(groups), _IN_A_ROW)]
