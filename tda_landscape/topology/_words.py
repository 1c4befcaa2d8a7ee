"""Words for what `print` shows: a count with its kinds, a number of any size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal


def kinds(words: Iterable[str]) -> str:
    """How often each word comes, in the order of first sight: "3 minimum, 1 flat"."""
    return ", ".join(f"{n} {word}" for word, n in Counter(words).items())


def many(count: int, one: str, more: str) -> str:
    """A count with its noun."""
    return f"{count} {one if count == 1 else more}"


def number(count: int) -> str:
    """A whole number, to four digits where it is large: counts of symmetric copies have hundreds of digits."""
    return f"{Decimal(count):.4g}" if count > 10**6 else str(count)
