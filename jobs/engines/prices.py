"""Prices of language models: those that are known, and the table of a setting that replaces them.

Prices are money per million tokens, input and output apart. Money is a Decimal, in one currency for the whole site.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from jobs.pipeline.protocols import Usage

KNOWN_IN = "USD"
"""Currency of KNOWN. A site with another currency has to set all its prices itself."""

_PER = Decimal(1_000_000)
_MOST = Decimal(100_000)
"""A price above this is a slip of the pen, such as a price per token instead of per million."""


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a model: money per million input tokens, and per million output tokens."""

    input: Decimal
    output: Decimal

    def of(self, usage: Usage) -> Decimal:
        """The cost of so many tokens."""
        return (self.input * usage.input_tokens + self.output * usage.output_tokens) / _PER


Prices = Mapping[str, Price]
"""Prices by the names of models."""


def _price(each_input: str, each_output: str) -> Price:
    return Price(Decimal(each_input), Decimal(each_output))


KNOWN: Prices = {
    "gemini-flash-latest": _price("0.50", "3.00"),
    "gemini-flash-lite-latest": _price("0.10", "0.40"),
    "gemini-2.5-flash": _price("0.30", "2.50"),
    "gemini-2.5-flash-lite": _price("0.10", "0.40"),
    "gemini-2.5-pro": _price("1.25", "10.00"),
    "gpt-4o": _price("2.50", "10.00"),
    "gpt-4o-mini": _price("0.15", "0.60"),
    "gpt-4.1-mini": _price("0.40", "1.60"),
    "gpt-5-mini": _price("0.25", "2.00"),
}
"""List prices of the vendors in December 2025, in KNOWN_IN. The name `gemini-flash-latest` moves to newer models, whose
price may be another one."""


def parse_prices(text: str, currency: str) -> Prices:
    """Read a table such as `gemini-2.5-flash=0.30/2.50, small=0/0`: it is added to KNOWN, and replaces prices of it.

    Raises ValueError, which names the part that cannot be read.
    """
    found = dict(KNOWN) if currency == KNOWN_IN else {}
    for part in filter(None, (each.strip() for each in re.split(r"[,;\n]", text))):
        name, equals, both = part.rpartition("=")
        each_input, slash, each_output = both.partition("/")
        if not (name.strip() and equals and slash):
            raise ValueError(f"“{part}” does not have the form MODEL=INPUT/OUTPUT")
        found[_plain(name)] = Price(_amount(each_input, part), _amount(each_output, part))
    return found


def price_of(model: str, prices: Prices) -> Price | None:
    """The price of a model by its exact name; None when it is not known."""
    return prices.get(_plain(model))


def _plain(model: str) -> str:
    """The name as it is compared: Google's own may begin with `models/`."""
    return model.strip().lower().removeprefix("models/")


def _amount(text: str, part: str) -> Decimal:
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        raise ValueError(f"“{text.strip()}” in “{part}” is not a price") from None
    if not (amount.is_finite() and 0 <= amount <= _MOST):
        raise ValueError(f"“{text.strip()}” in “{part}” is not between 0 and {_MOST:,} per million tokens")
    return amount
