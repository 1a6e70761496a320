"""A cost that is held while numbers turn: one of them follows. In the address as `hold`."""

from __future__ import annotations

import streamlit as st
from shared import current, put, refuse, show

from archgen import ArchError, cost
from archgen.explorer import Lock, Shown, knobs
from archgen.explorer.markdown import escaped
from archgen.inverse import COSTS
from archgen.spec import Net
from archgen.view.words import UNITS, titled

KEY = "hold"
WRONG, FOLLOWED = "knobs.hold refused", "knobs.hold followed"
COST, TARGET, BY = "knobs.held cost", "knobs.held target", "knobs.held by"


def opened_lock(net: Net) -> Lock | None:
    """Take up what the address says is held, or what this session held last; once a page.

    A word that cannot be read is said to be wrong; a number that the network has not follows no
    more.
    """
    word = st.query_params.get(KEY) or st.session_state.get(KEY)
    try:
        lock = Lock.read(word) if word else None
    except ArchError as error:
        refuse(error)
        lock = None
    _keep(lock if lock is not None and lock.by in _numbers(net) else None)
    return current_lock()


def current_lock() -> Lock | None:
    """Give what is held on this page."""
    word = st.session_state.get(KEY)
    return Lock.read(word) if word else None


def draw_hold(net: Net, shown: Shown, lock: Lock | None) -> None:
    """Let a person choose what is held, at how much, and which number follows."""
    if lock is not None:
        put(COST, lock.cost)
        put(TARGET, round(lock.target))
        put(BY, lock.by)
    with st.expander("Hold a cost", icon=":material/lock:", expanded=lock is not None):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox("Hold", COSTS, None, titled, key=COST, on_change=_chosen,
                         placeholder="nothing", width=190)  # fmt: skip
            unit = UNITS.get(st.session_state[COST])
            st.number_input(f"at ({unit})" if unit else "at", 1, Lock.MOST, None, key=TARGET,
                            on_change=_held, width=190,
                            disabled=st.session_state[COST] is None)  # fmt: skip
        st.selectbox("and let follow", _numbers(net), None, key=BY, on_change=_held,
                     placeholder="choose a number")  # fmt: skip
        if wrong := st.session_state.get(WRONG):
            refuse(wrong)
        elif lock is not None:
            _draw_reached(lock, net, shown)


def followed(shown: Shown, lock: Lock) -> None:
    """Note that on this network the number that follows was looked for."""
    st.session_state[FOLLOWED] = (shown, lock.word())


def _draw_reached(lock: Lock, net: Net, shown: Shown) -> None:
    off = lock.off(net)
    if off is not None and abs(off) <= 0.01:
        st.caption(escaped(f"{lock.by} follows; {off:+.2%} off the target."))
        return
    far = "has none now" if off is None else f"is {off:+.1%} off"
    said = f"{titled(lock.cost)}: the network {far}."
    if st.session_state.get(FOLLOWED) == (shown, lock.word()):
        st.warning(escaped(f"{said} No value of {lock.by} comes nearer."))
        return
    st.warning(escaped(f"{said} {lock.by} follows from the next number that is turned."))
    st.button("Let it follow now", icon=":material/lock:", on_click=_held)


def _numbers(net: Net) -> list[str]:
    return [knob.path for knob in knobs(net) if knob.number is not None]


def _chosen() -> None:
    """Hold a cost at what it is now."""
    what = st.session_state[COST]
    st.session_state[TARGET] = what and getattr(cost(current().net()), what)
    _held()


def _held() -> None:
    """Hold what the controls say, as soon as they say all."""
    what, target, by = (st.session_state[key] for key in (COST, TARGET, BY))
    st.session_state.pop(WRONG, None)
    if what is None or target is None or by is None:
        _keep(None)
        return
    lock = Lock(what, target, by)
    try:
        found = lock.follow(current())
        followed(found, lock)
        show(found)
        _keep(lock)
    except ArchError as error:
        st.session_state[WRONG] = str(error)
        _keep(None)


def _keep(lock: Lock | None) -> None:
    if lock is None:
        st.session_state.pop(KEY, None)
        st.query_params.pop(KEY, None)
    else:
        st.session_state[KEY] = st.query_params[KEY] = lock.word()
