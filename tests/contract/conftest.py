"""What the contract asks of blocks and of joins alike: values to try for a field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

INTEGERS = (1, 2, 3, 4, 5, 8, 16)
FRACTIONS = (0.05, 0.25, 0.5, 0.75)


@pytest.fixture(scope="session")
def values() -> Callable[[type[BaseModel], str], list[Any]]:
    """Give values that a field may have by its own schema: all of an enumeration, else some."""

    def of(owner: type[BaseModel], field: str) -> list[Any]:
        schema = owner.model_json_schema()["properties"][field]
        for kind in [schema, *schema.get("anyOf", [])]:
            if "enum" in kind:
                return list(kind["enum"])
            if kind.get("type") == "boolean":
                return [False, True]
            if kind.get("type") == "integer":
                return list(INTEGERS)
            if kind.get("type") == "number":
                return list(FRACTIONS)
        raise NotImplementedError(f"the contract knows no values for {owner.__name__}.{field}")

    return of
