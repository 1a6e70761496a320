from __future__ import annotations

from itertools import groupby

from archgen import files
from archgen.explorer import titles


def test_all_specs_are_there_and_those_of_one_paper_together() -> None:
    found = titles()
    assert set(found) == set(files.names("specs"))
    assert found["dpn131"] == "Dual Path Networks"
    runs = [title for title, _ in groupby(found.values())]
    assert len(runs) == len(set(runs))
    names = [*found]
    assert names.index("resnet18") < names.index("resnet101")
