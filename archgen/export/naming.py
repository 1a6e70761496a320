"""What somebody else calls the modules of a network. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Naming:
    """The names that one source gives to one family of networks.

    A map goes from our module paths to theirs, and knows both: it says nothing of the order of
    tensors in a file, which need not be that of execution.

    Args:
        source: Who uses these names.
        rename: Our module path, split at its dots -> theirs. `KeyError` or `ValueError` where
            they have no such module.
        spelled: Older spellings of their tensors (patterns) -> today's.
        unused: Their tensors (patterns) that their code never uses -> why.
        hints: Names that show what is wrong (patterns, matched against our tensors that they
            have no name for, and theirs that we have no place for) -> what to do.
    """

    source: str
    rename: Callable[[list[str]], str]
    spelled: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)

    def theirs(self, ours: str) -> str | None:
        """Give their name of a tensor of ours, None where they have no such module."""
        *module, leaf = ours.split(".")
        try:
            return f"{self.rename(module)}.{leaf}"
        except (KeyError, ValueError):
            return None

    def today(self, theirs: str) -> str:
        """Give today's spelling of a name of theirs."""
        for pattern, spelling in self.spelled.items():
            theirs = re.sub(pattern, spelling, theirs)
        return theirs


def said(of: Mapping[str, str], name: str) -> str | None:
    """Give what a table of patterns says of a name: the first that matches all of it."""
    return next((text for pattern, text in of.items() if re.fullmatch(pattern, name)), None)
