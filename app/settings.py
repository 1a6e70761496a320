"""Settings as widgets: each gives what its field shall be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from archgen.explorer.settings import Setting


def ask(settings: Sequence[Setting], key: str, columns: int = 3) -> dict[str, Any]:
    """Ask for some settings side by side, and give those that were changed, by path.

    Args:
        settings: What to ask for.
        key: What tells them from those of another study.
        columns: How many stand beside one another.
    """
    places = st.columns(columns)
    changes = {}
    for index, setting in enumerate(settings):
        with places[index % columns]:
            value = _widget(setting, f"{key}:{setting.path}")
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
            return st.number_input(
                value=setting.value, min_value=_whole(setting.low), max_value=_whole(setting.high),
                step=1, **told,
            )  # fmt: skip
        case "number":
            value = setting.value if setting.value is None else float(setting.value)
            return st.number_input(
                value=value, min_value=setting.low and float(setting.low),
                max_value=setting.high and float(setting.high),
                step=_step(value), format="%g", placeholder="not set", **told,
            )  # fmt: skip


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _step(value: float | None) -> float:
    """A power of ten below a value: its leading digit turns."""
    return 10.0 ** math.floor(math.log10(abs(value))) if value else 0.1
