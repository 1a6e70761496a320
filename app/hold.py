"""A cost that is held while numbers turn: one of them follows. In the address as `hold`."""

from __future__ import annotations

import streamlit as st
from shared import current, put, refuse, show

from archgen import ArchError, cost
from archgen.explorer import LABELS, Lock, knobs
from archgen.explorer.markdown import escaped
from archgen.inverse import COSTS
from archgen.spec import Net

KEY, WRONG = "hold", "hold refused"
COST, TARGET, BY = "held cost", "held target", "held by"


def current_lock() -> Lock | None:
    """Give what is held: what the address says, or what this session held last."""
    word = st.query_params.get(KEY) or st.session_state.get(KEY)
    try:
        lock = Lock.read(word) if word else None
    except ArchError as error:
        refuse(error)
        lock = None
    _keep(lock)
    return lock


def draw_hold(net: Net) -> None:
    """Let a person choose what is held, at how much, and which number follows."""
    lock, numbers = current_lock(), [knob.path for knob in knobs(net) if knob.number is not None]
    if lock is not None and lock.by not in numbers:
        _keep(lock := None)
    if lock is not None:
        put(COST, lock.cost)
        put(TARGET, round(lock.target))
        put(BY, lock.by)
    with st.expander("Hold a cost", icon=":material/lock:", expanded=lock is not None):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.selectbox("Hold", COSTS, None, LABELS.__getitem__, key=COST, on_change=_chosen,
                         placeholder="nothing", width=165)  # fmt: skip
            st.number_input("at", 1, None, None, key=TARGET, on_change=_held, width=165,
                            disabled=st.session_state[COST] is None)  # fmt: skip
            st.selectbox("and let follow", numbers, None, key=BY, on_change=_held, width=185,
                         placeholder="choose a number")  # fmt: skip
        if wrong := st.session_state.get(WRONG):
            refuse(wrong)
        elif lock is not None:
            _draw_reached(lock, net)


def _draw_reached(lock: Lock, net: Net) -> None:
    off = lock.off(net)
    if off is None or abs(off) > 0.01:
        far = "has none now" if off is None else f"is {off:+.1%} off"
        said = f"{LABELS[lock.cost]}: the network {far}. No value of {lock.by} comes nearer."
        st.warning(escaped(said))
    else:
        st.caption(escaped(f"{lock.by} follows; {off:+.2%} off the target."))


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
        show(lock.follow(current()))
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
