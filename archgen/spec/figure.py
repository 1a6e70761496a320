"""Numbers as papers print them: the text is kept, and says how exact it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, PlainSerializer, PlainValidator

_FACTORS = {"k": 10**3, "M": 10**6, "G": 10**9, "MB": 2**20, "%": 1}


def _pattern(units: Iterable[str]) -> str:
    """Give what a number with one of these units looks like."""
    return rf"^\d+(?:\.\d+)? ({'|'.join(units)})$"


@dataclass(frozen=True)
class Figure:
    """A published number as it is printed: ``37.7 M``, ``145 MB``, ``4.00 %``.

    Args:
        text: Digits, a space and a unit: k, M or G (thousands), MB (2^20 bytes) or %.

    Raises:
        ValueError: The text is none of these.
    """

    text: str

    def __post_init__(self) -> None:
        if not re.fullmatch(_pattern(_FACTORS), self.text):
            raise ValueError(f"{self.text!r} is no number with a unit")

    def __str__(self) -> str:
        return self.text

    @property
    def unit(self) -> str:
        """The unit that is printed."""
        return self.text.partition(" ")[2]

    @property
    def decimals(self) -> int:
        """How many digits stand behind the point."""
        return len(self.text.partition(" ")[0].partition(".")[2])

    @property
    def value(self) -> Decimal:
        """The number in units of one."""
        return Decimal(self.text.partition(" ")[0]) * _FACTORS[self.unit]

    @property
    def half(self) -> Decimal:
        """Half a unit of the last digit: what rounding may have taken away or added."""
        return Decimal((0, (5,), -self.decimals - 1)) * _FACTORS[self.unit]

    def agrees(self, exact: int | Decimal) -> bool:
        """Tell whether an exact number may have been printed so."""
        return abs(self.value - exact) <= self.half

    def write(self, exact: int | Decimal) -> str:
        """Write an exact number in this figure's unit with one digit more, two behind a 5."""
        number = exact / Decimal(_FACTORS[self.unit])
        text = f"{number:.{self.decimals + 1}f}"
        if text.endswith("5"):  # which may itself be rounded: 8.949 is 8.9, and 8.95
            text = f"{number:.{self.decimals + 2}f}"
        return f"{text} {self.unit}"


@dataclass(frozen=True)
class Printed:
    """Makes pydantic read a `Figure` from text, and write the same text.

    Args:
        example: A text that it reads.
        units: Which units it may have.
    """

    example: str
    units: tuple[str, ...]

    def read(self, value: object) -> Figure:
        """Give the figure; ValueError for anything but its text."""
        if isinstance(value, str) and re.fullmatch(self.pattern, value):
            return Figure(value)
        wanted = f"write it as it is printed, with its unit: {self.example}"
        raise ValueError(f"{value!r} is not a published figure; {wanted}")

    @property
    def pattern(self) -> str:
        """What the text looks like."""
        return _pattern(self.units)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        return handler.generate_schema(
            Annotated[Any, PlainValidator(self.read), PlainSerializer(str)]
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": self.pattern}
