"""Candidates that all cost the same: one number of each is solved for."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archgen.errors import ArchError
from archgen.study import Study, candidate, load_study
from archgen.study.judge import judge, row_of
from archgen.study.room import probe
from archgen.view import varied

from .conftest import Write

KEEP = {"params": {"equal": 2000, "within": "2%", "by": "stem.width"}}
VARY = {"stem.kernel": {"any": [1, 3, 5, 7]}}
WIDTHS = {1: 153, 3: 95, 5: 54, 7: 33}
"""With which 12 w + w k^2 + 10 parameters are nearest to 2,000."""


@pytest.fixture
def study(write: Write) -> Callable[..., Study]:
    return lambda **keys: load_study(write(**{"vary": VARY, "keep": KEEP} | keys))


@pytest.mark.parametrize("kernel", WIDTHS)
def test_the_number_that_fits_is_put_in(study: Callable[..., Study], kernel: int) -> None:
    judged = judge(study(), {"stem.kernel": kernel})
    assert judged.feasible
    assert judged.solved == {"stem.width": WIDTHS[kernel]}
    assert judged.costs["params"] == WIDTHS[kernel] * (12 + kernel**2) + 10
    assert judged.net is not None
    assert judged.net.get("stem.width") == WIDTHS[kernel]
    row = row_of(judged, 0, [])
    assert row.values == {"stem.kernel": kernel, "stem.width": WIDTHS[kernel]}
    assert candidate(study(), row.values).digest() == judged.digest == row.digest


def test_what_comes_no_nearer_is_infeasible_by_so_much(study: Callable[..., Study]) -> None:
    """33 or 32 channels of 7x7 cost 2,023 or 1,962 parameters."""
    keep = {"params": KEEP["params"] | {"within": "0.5%"}}
    judged = judge(study(keep=keep), {"stem.kernel": 7})
    assert judged.violations == {"builds": 0.0, "params.equal": pytest.approx(0.0115 - 0.005)}
    assert judged.solved == {"stem.width": 33}
    row = row_of(judged, 0, [])
    assert (row.state, row.reason) == ("infeasible", "beyond params.equal by 1%")


def test_a_candidate_without_the_number_is_refused_at_load(write: Write) -> None:
    widths = [{"kind": "additive", "start": 4, "alpha": 8}, {"kind": "cycle", "of": [4, 8]}]
    keys = {
        "spec": "pyramidnet_digits",
        "vary": {"stages.width": {"any": widths}},
        "keep": {"params": {"equal": 5000, "within": "5%", "by": "stages.width.alpha"}},
    }
    with pytest.raises(ArchError, match=r"stages.width.any.1: .* does not build: stages.width.alp"):
        load_study(write(**keys))


def test_one_number_is_solved_for(write: Write) -> None:
    macs = {"equal": 9000, "within": "5%", "by": "stem.stride"}
    with pytest.raises(ArchError, match=r"keep.macs.by: a number is solved for params already"):
        load_study(write(vary=VARY, keep={**KEEP, "macs": macs}))


def test_other_costs_may_be_bounded(study: Callable[..., Study]) -> None:
    bounded = study(keep={**KEEP, "macs": {"max": 20_000}})
    feasible = [judge(bounded, {"stem.kernel": kernel}).feasible for kernel in WIDTHS]
    assert feasible == [True, True, False, False]


def test_the_probe_has_nothing_to_say(study: Callable[..., Study]) -> None:
    room = probe(study(), tries=20)
    assert room.passed == 20
    assert room.warnings() == []


def test_a_schedule_whose_number_is_solved_for_is_shown_briefly(write: Write) -> None:
    additive = {"kind": "additive", "start": 16, "alpha": 48}
    multiplicative = {"kind": "multiplicative", "start": 16, "alpha": 4.0}
    keys = {
        "spec": "pyramidnet_digits",
        "vary": {"stages.width": {"any": [additive, multiplicative]}},
        "keep": {"params": {"equal": 60_000, "within": "2%", "by": "stages.width.alpha"}},
    }
    study = load_study(write(**keys))
    shown = [
        varied(study, row_of(judge(study, {"stages.width": width}), 0, []))
        for width in (additive, multiplicative)
    ]
    assert shown == [
        {"stages.width": "additive", "stages.width.alpha": "13"},
        {"stages.width": "multiplicative", "stages.width.alpha": "1.89"},
    ]
