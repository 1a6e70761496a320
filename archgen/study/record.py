"""A study's record: Optuna's journal, with one compact entry a candidate.

A candidate in training is a RUNNING trial. It stays one when its search ends before it does, so
that the next search can go on with it. Only the folder's owner writes. Optuna is imported inside
functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgen.study.definition import Study
from archgen.study.report import CANDIDATE, OUTCOME, TEST, Row, attributes, rows_of
from archgen.study.storage import open_journal

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import TrialState


class Record:
    """The journal of a study's folder, open for writing.

    Args:
        study: Its name and scores go into a new journal.
        folder: Held by the caller.

    Raises:
        ArchError: The journal cannot be read.
    """

    def __init__(self, study: Study, folder: Path) -> None:
        from optuna.study import StudyDirection

        self._storage = open_journal(folder, new=True)
        self._name = study.name
        if not self._storage.get_all_studies():
            ways = [StudyDirection[way.upper()] for way in study.score.values()]
            self._storage.create_new_study(ways, self._name)
        self._study = self._storage.get_study_id_from_name(self._name)

    def rows(self) -> list[Row]:
        """All candidates, in the order of asking."""
        return rows_of(self._storage, self._name)

    def add(
        self,
        row: Row,
        params: Mapping[str, Any],
        distributions: Mapping[str, BaseDistribution],
        over: Mapping[str, float],
    ) -> None:
        """Write a candidate: one to be trained, or one that never will be.

        Args:
            row: Its number is that of the next entry.
            params: Its values by Optuna's names.
            distributions: What each was drawn from.
            over: How far it is over each limit.
        """
        from optuna.trial import create_trial

        attrs: dict[str, Any] = {CANDIDATE: attributes(row)[CANDIDATE]}
        if row.state != "running":
            attrs[OUTCOME] = attributes(row)[OUTCOME]
        entry = create_trial(
            state=_state(row),
            values=list(row.scores.values()) or None,
            params=dict(params),
            distributions=dict(distributions),
            user_attrs=attrs,
            constraints=dict(over),
        )
        self._storage.create_new_trial(self._study, entry)

    def end(self, row: Row) -> None:
        """Write how a candidate's training ended."""
        entry = self._storage.get_trial_id_from_study_id_trial_number(self._study, row.number)
        self._storage.set_trial_user_attr(entry, OUTCOME, attributes(row)[OUTCOME])
        values = list(row.scores.values()) or None
        self._storage.set_trial_state_values(entry, _state(row), values)

    def tested(self, number: int, top1: float) -> None:
        """Write a candidate's accuracy on the test split, in percent."""
        known = self._storage.get_study_user_attrs(self._study).get(TEST, {})
        self._storage.set_study_user_attr(self._study, TEST, {**known, str(number): top1})


def _state(row: Row) -> TrialState:
    """FAIL is for what says nothing about a network."""
    from optuna.trial import TrialState

    if row.state == "running":
        return TrialState.RUNNING
    if row.scores:
        return TrialState.COMPLETE
    return TrialState.FAIL if row.state == "failed" else TrialState.PRUNED
