"""Settings as widgets: each gives what its field shall be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from archgen.explorer.settings import Setting

Places = dict[str, DeltaGenerator]
"""By path of a setting: below its row, for what is wrong with it."""


def ask(settings: Sequence[Setting], key: str, places: Places, columns: int = 3) -> dict[str, Any]:
    """Ask for some settings in rows, and give those that were changed, by path.

    Args:
        settings: What to ask for.
        key: What tells them from those of another study.
        places: Filled with those of these settings.
        columns: How many stand beside one another.
    """
    changes = {}
    for index, setting in enumerate(settings):
        if index % columns == 0:
            row = st.columns(columns, vertical_alignment="bottom")
            below = st.empty()
        with row[index % columns]:
            value = _widget(setting, f"{key}:{setting.path}")
        places[setting.path] = below
        if value != setting.value:
            changes[setting.path] = value
    return changes


def _widget(setting: Setting, key: str) -> Any:
    told: dict[str, Any] = {"label": setting.label, "key": key, "help": setting.help}
    match setting.kind:
        case "flag":
            return st.toggle(value=setting.value, **told)
        case "choice":
            return st.selectbox(
                options=setting.options, index=setting.options.index(setting.value), **told
            )
        case "text":
            return st.text_input(value=setting.value, **told)
        case "whole":
            return st.number_input(step=1, **_numbers(setting, int), **told)
        case "number":
            return st.number_input(
                step=_step(setting.value), format="%g", placeholder="not set",
                **_numbers(setting, float), **told,
            )  # fmt: skip


def _numbers(setting: Setting, kind: type[int] | type[float]) -> dict[str, Any]:
    """A number's value and bounds, all of the one type that Streamlit asks for."""
    numbers = {"value": setting.value, "min_value": setting.low, "max_value": setting.high}
    return {name: None if each is None else kind(each) for name, each in numbers.items()}


def _step(value: float | None) -> float:
    """A power of ten below a value: its leading digit turns."""
    return 10.0 ** math.floor(math.log10(abs(value))) if value else 0.1
