"""Which names a spec may give to itself and its nodes: they become attributes and files."""

from __future__ import annotations

import builtins
import keyword
import re
import sys

PATTERN = re.compile(r"[a-z][a-z0-9_]{0,63}")
TOP_LEVEL = ("name", "paper", "input", "init", "output_stride", "nodes", "outputs")

MODULE_ATTRIBUTES = frozenset(
    """
    add_module apply bfloat16 bias buffers call_super_init children compile cpu cuda double
    dump_patches eval extra_repr float forward get_buffer get_extra_state get_parameter
    get_submodule half ipu load_state_dict modules mtia named_buffers named_children
    named_modules named_parameters parameters register_backward_hook register_buffer
    register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train training type
    weight xpu zero_grad
    """.split()
)
"""Attributes of ``torch.nn.Module`` (a test compares with torch's own)."""

_TAKEN = {
    **dict.fromkeys(MODULE_ATTRIBUTES, "an attribute of torch.nn.Module"),
    **dict.fromkeys(dir(builtins), "a builtin of Python"),
    **dict.fromkeys(["torch", "nn", "self"], "used by the generated source"),
    "feature_info": "what a network says of its maps",
    **dict.fromkeys(TOP_LEVEL, "a top-level key of specs"),
    **dict.fromkeys([*keyword.kwlist, *keyword.softkwlist], "a keyword of Python"),
}


_MODULES = sys.stdlib_module_names | {"archgen", "torch"}
"""Modules that a written ``NAME.py`` must not shadow."""


def complaint(name: str, *, node: bool) -> str:
    """Say why a name cannot be used, or give "".

    Args:
        name: What the spec says.
        node: Whether it names a node (else the network).
    """
    if not PATTERN.fullmatch(name):
        return (
            f"the name {name[:80]!r} must be lower-case letters, digits and _, "
            "start with a letter and have at most 64 characters"
        )
    if node and name in _TAKEN:
        return f"a node cannot be called {name!r}: it is {_TAKEN[name]}"
    if not node and keyword.iskeyword(name):
        return f"a network cannot be called {name!r}: it is a keyword of Python"
    if not node and name in _MODULES:
        return f"a network cannot be called {name!r}: its file would hide the module of that name"
    return ""
