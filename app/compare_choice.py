"""Which networks are compared: words in the address, kept in the session over all pages."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from shared import current

from archgen import ArchError, files
from archgen.explorer import Shown
from archgen.explorer.entries import MOST, Entry, entry
from archgen.explorer.markdown import escaped
from archgen.explorer.presets import PRESETS, Preset

KEY = "nets"
PRESET, PICKED, FIRST = "compare_preset", "compare_picked", "compare_first"


def chosen() -> list[str]:
    """Give what is compared: the address's, this session's last, or what is on the screen."""
    words = st.query_params.get_all(KEY) or st.session_state.get(KEY) or [current().word()]
    if (asked := len(set(words))) > MOST:
        st.warning(f"{asked} networks were asked for; the first {MOST} are compared.")
    choose(words)
    return [*st.session_state[KEY]]


def choose(words: Sequence[str]) -> None:
    """Compare these networks, each once and no more than have their place."""
    st.session_state[KEY] = st.query_params[KEY] = [*dict.fromkeys(words)][:MOST]


def preset(words: Sequence[str]) -> Preset | None:
    """Give the papers' comparison that these networks are."""
    return next((each for each in PRESETS if _words(each) == [*words]), None)


@st.cache_resource(max_entries=64, show_spinner="Counting")
def measured(word: str) -> Entry:
    """Count a network once.

    Raises:
        ArchError: The word names no network, or its spec is refused.
    """
    return entry(Shown.read(word))


def draw_choice(words: Sequence[str]) -> None:
    """Draw what chooses the networks."""
    titles = {each.title: each for each in PRESETS}
    same = preset(words)
    st.session_state[PRESET] = same.title if same else None
    st.pills("The papers' comparisons", titles, key=PRESET, on_change=_take_preset)
    here = current().word()
    shipped = files.names("specs")

    def label(word: str) -> str:
        return word if word in shipped else _label(word)

    left, right = st.columns([3, 1], vertical_alignment="bottom")
    st.session_state[PICKED] = [*words]
    left.multiselect(
        f"Networks, two to {MOST}",
        [*dict.fromkeys([*words, here, *shipped])],
        key=PICKED,
        format_func=label,
        max_selections=MOST,
        wrap=True,
        on_change=lambda: choose(st.session_state[PICKED]),
    )
    st.session_state[FIRST] = words[0]
    right.selectbox(
        "Compare with", words, key=FIRST, format_func=label, on_change=_put_first,
        help="Ratios and differences are those to this network.",
    )  # fmt: skip
    if here not in words and len(words) < MOST:
        name = escaped(label(here))
        st.button(
            f"Add {name} from the other pages", icon=":material/add:",
            on_click=choose, args=([*words, here],),
        )  # fmt: skip


@st.cache_data(max_entries=len(PRESETS))
def _words(each: Preset) -> list[str]:
    return each.words()


def _take_preset() -> None:
    titles = {each.title: each for each in PRESETS}
    if title := st.session_state[PRESET]:
        choose(_words(titles[title]))


def _put_first() -> None:
    choose([st.session_state[FIRST], *st.session_state[KEY]])


def _label(word: str) -> str:
    """Name a network that is not as it is shipped; a wrong one by its word."""
    try:
        return measured(word).label
    except ArchError:
        return word
