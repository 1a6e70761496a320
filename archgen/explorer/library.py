"""The shipped specs as a person picks one."""

from __future__ import annotations

from archgen import files
from archgen.spec import load
from archgen.view.library import matching


def titles() -> dict[str, str]:
    """Give the paper's title of each shipped spec; those of one paper stand together.

    Raises:
        ArchError: A spec of the library is damaged.
    """
    papers = {name: load(name).paper for name in matching(files.names("specs"), "")}
    named = {name: paper.title if paper else "" for name, paper in papers.items()}
    return dict(sorted(named.items(), key=lambda item: item[1]))
