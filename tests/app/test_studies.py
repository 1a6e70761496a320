"""The page of studies: its views, what is chosen, and what it says where there is nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from urllib.parse import parse_qs

import pytest
from journals import drawn, write, write_journal
from pages import open_page
from streamlit.testing.v1 import AppTest

from archgen.explorer import Shown
from archgen.explorer.markdown import escaped
from archgen.study import Study, candidate, trials
from archgen.study.record import Record
from archgen.study.report import front
from archgen.study.storage import owned

VIEWS = [
    "Trade-off", "Candidates", "History", "Learning curves", "Importances", "Slice",
    "Parallel coordinates", "Error distribution", "Outcomes",
]  # fmt: skip


def press(page: AppTest, label: str) -> None:
    [button] = [button for button in page.button if button.label == label]
    button.click().run()


def select(page: AppTest, place: int) -> None:
    """Select a row of the table that is drawn, by its place."""
    _, tables = page.session_state["studies:drawn:drawn"]
    key = f"studies:drawn:candidates:{tables}"
    page.session_state[key] = {"selection": {"rows": [place], "columns": []}}
    page.run()


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder of searches of an empty working directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "studies" / "runs"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def study(runs: Path) -> Study:
    """Give a study that was searched there."""
    return write_journal(runs / "drawn", 60)


def test_where_nothing_was_searched_it_says_what_to_do(runs: Path) -> None:
    page = open_page("studies")
    assert "Nothing was searched" in page.info[0].value
    assert not page.metric


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_drawn(study: Study, view: str) -> None:
    page = open_page("studies", study="drawn", view=view)
    assert not page.error
    assert not page.exception
    assert page.segmented_control[0].value == view
    assert [metric.label for metric in page.metric] == [
        "State", "Trained", "Best top1", "Best params", "Training time",
    ]  # fmt: skip


def test_each_click_shows_its_view(study: Study) -> None:
    page = open_page("studies", study="drawn")
    for view in ("History", "Slice", "Candidates", "Outcomes", "Trade-off", "History"):
        page.segmented_control[0].set_value(view).run()
        assert page.segmented_control[0].value == view
        assert bool(page.pills) == (view == "Candidates")


def test_the_best_of_a_study_is_never_infeasible(study: Study, runs: Path) -> None:
    rows = trials(runs / "drawn")
    best = max(row.scores["top1"] for row in front(rows, study.score))
    page = open_page("studies")
    assert page.metric[2].value == f"{best:.2f}%"


def test_points_that_are_selected_open_their_networks(study: Study, runs: Path) -> None:
    first, second = front(trials(runs / "drawn"), study.score)[:2]
    page = open_page("studies", study="drawn", view="Trade-off")
    points = [{"customdata": row.number} for row in (first, second)]
    page.session_state["studies:drawn:trade_off"] = {"selection": {"points": points}}
    page.run()
    assert not page.exception
    assert page.query_params["trial"] == f"{first.number},{second.number}"
    assert page.subheader[0].value.startswith(f"Candidate {first.number}: complete")
    press(page, "Close")
    assert "trial" not in page.query_params


def test_a_candidate_opens_in_explore(study: Study, runs: Path) -> None:
    [row] = front(trials(runs / "drawn"), study.score)[:1]
    page = open_page("studies", study="drawn", trial=str(row.number))
    assert not page.error
    press(page, "Open in Explore")
    assert not page.exception
    shown = Shown.read(page.session_state["net"])
    assert shown.net().digest() == candidate(study, row.values).digest()


def test_rows_that_are_selected_are_those_that_the_filters_left(study: Study, runs: Path) -> None:
    page = open_page("studies", study="drawn", view="Candidates")
    page.pills[0].set_value(["✂ pruned"]).run()
    pruned = [row.number for row in trials(runs / "drawn") if row.state == "pruned"]
    assert page.dataframe[0].value["candidate"].tolist() == pruned
    select(page, 1)
    assert page.query_params["trial"] == str(pruned[1])


def test_a_filter_chooses_no_other_candidate(study: Study) -> None:
    page = open_page("studies", study="drawn", view="Candidates")
    select(page, 1)
    assert page.query_params["trial"] == "1"
    page.pills[0].set_value(["✂ pruned"]).run()
    page.run()
    assert page.query_params["trial"] == "1"


def test_a_training_that_ends_chooses_no_other_candidate(study: Study, runs: Path) -> None:
    page = open_page("studies", study="drawn", view="Candidates")
    page.pills[0].set_value(["… running"]).run()
    first, second, *_ = page.dataframe[0].value["candidate"].tolist()
    select(page, 0)
    assert page.query_params["trial"] == str(first)
    Record(study, runs / "drawn").end(next(islice(drawn(study, Random(0)), first, None)))
    page.run()
    page.run()
    assert page.dataframe[0].value["candidate"].tolist()[0] == second
    assert page.query_params["trial"] == str(first)


def test_another_study_has_its_own_candidates(study: Study, runs: Path) -> None:
    write_journal(runs / "other", 30, seed=1)
    page = open_page("studies", study="drawn", view="Candidates")
    select(page, 1)
    page.selectbox(key="studies:choice").set_value("other").run()
    assert page.query_params["study"] == "other"
    assert "trial" not in page.query_params
    assert len(page.dataframe[0].value) == 30
    page.selectbox(key="studies:choice").set_value("drawn").run()
    assert "trial" not in page.query_params


def test_a_span_stays_while_its_bounds_grow(study: Study, runs: Path) -> None:
    page = open_page("studies", study="drawn", view="Candidates")
    low, high = page.slider[0].value
    middle = round((low + high) / 2, 2)
    page.slider[0].set_value((middle, high)).run()
    assert all(page.dataframe[0].value["top1"] >= middle)
    page.pills[0].set_value(["✓ complete"]).run()
    assert page.slider[0].value == (middle, high)
    row = next(row for row in drawn(study, Random(3)) if row.state == "complete")
    scores = {**row.scores, "top1": 99.0}
    write(study, Record(study, runs / "drawn"), replace(row, number=60, top1=99.0, scores=scores))
    page.run()
    assert page.slider[0].value == (middle, 99.0)
    assert 99.0 in page.dataframe[0].value["top1"].tolist()


def test_an_infeasible_candidate_says_why(study: Study, runs: Path) -> None:
    row = next(row for row in trials(runs / "drawn") if row.state == "infeasible")
    page = open_page("studies", study="drawn", trial=str(row.number))
    assert any(row.reason in text.value for text in page.text)


def test_what_a_search_writes_is_there_at_the_next_look(study: Study, runs: Path) -> None:
    page = open_page("studies", study="drawn", view="Candidates")
    assert len(page.dataframe[0].value) == 60
    record = Record(study, runs / "drawn")
    for row in islice(drawn(study, Random(3)), 60, 63):
        write(study, record, row)
    page.run()
    assert len(page.dataframe[0].value) == 63


def test_numbers_in_the_address_that_no_candidate_has_are_left_out(study: Study) -> None:
    page = open_page("studies", study="drawn", trial="x,999,-1,²," + "1" * 5000)
    assert not page.exception
    assert not page.subheader


def test_the_chosen_are_ringed_ticked_and_kept_over_other_pages(study: Study) -> None:
    page = open_page("studies", study="drawn", trial="0,3,99")
    assert "has no candidate 99" in page.error[0].value
    page.segmented_control[0].set_value("Candidates").run()
    _, tables = page.session_state["studies:drawn:drawn"]
    assert page.session_state[f"studies:drawn:candidates:{tables}"].selection.rows == [0, 3]
    assert page.query_params["trial"] == "0,3,99"
    page.switch_page("screens/explore.py").run()
    del page.query_params["trial"]
    page.switch_page("screens/studies.py").run()
    assert page.query_params["trial"] == "0,3,99"
    press(page, "Close")
    assert "trial" not in page.query_params


def test_a_search_that_starts_says_so_and_one_that_died_why(study: Study, runs: Path) -> None:
    journal = runs / "drawn" / "journal.log"
    journal.write_bytes(b"")
    with owned(runs / "drawn"):
        assert "is starting" in open_page("studies", study="drawn").info[0].value
        journal.unlink()
        assert "is starting" in open_page("studies", study="drawn").info[0].value
    journal.write_bytes(b"")
    (runs / "drawn" / "search.log").write_text("error: no device 'cuda:7'\n")
    page = open_page("studies", study="drawn")
    assert escaped("error: no device 'cuda:7'") in page.error[0].value


def test_an_unknown_study_is_said_and_another_shown(study: Study) -> None:
    page = open_page("studies", study="../../etc")
    assert "etc" in page.warning[0].value
    assert page.query_params["study"] == "drawn"


def test_a_damaged_study_is_one_line_and_others_can_be_chosen(study: Study, runs: Path) -> None:
    (runs / "broken").mkdir()
    (runs / "broken" / "journal.log").write_text("garbage\n{}\n")
    (runs / "broken" / "study.yaml").write_text("name: [")
    page = open_page("studies", study="broken")
    assert len(page.error) == 1
    assert "study" in page.error[0].value
    page.selectbox[0].set_value("drawn").run()
    assert not page.error
    assert page.metric


def test_a_damaged_journal_is_one_line(study: Study, runs: Path) -> None:
    journal = runs / "drawn" / "journal.log"
    journal.write_bytes(b"garbage\n" + journal.read_bytes())
    page = open_page("studies")
    assert "damaged" in page.error[0].value


def test_a_search_that_ended_before_it_could_write_says_so(study: Study, runs: Path) -> None:
    (runs / "drawn" / "journal.log").write_bytes(b"")
    page = open_page("studies")
    assert "ended before it could write" in page.info[0].value


def test_what_one_session_chooses_and_filters_is_not_another_s(study: Study) -> None:
    one = open_page("studies", study="drawn", view="Candidates")
    two = open_page("studies", study="drawn", view="Candidates")
    one.pills[0].set_value(["✂ pruned"]).run()
    select(one, 0)
    two.run()
    assert len(two.dataframe[0].value) == 60
    assert "trial" in one.query_params
    assert "trial" not in two.query_params
    assert not two.pills[0].value


def test_a_candidate_is_compared_with_the_spec_of_its_study(study: Study, runs: Path) -> None:
    [row] = front(trials(runs / "drawn"), study.score)[:1]
    page = open_page("studies", study="drawn", trial=str(row.number))
    [link] = [link for link in page.get("page_link") if "nets=" in link.proto.query_string]
    words = parse_qs(link.proto.query_string)["nets"]
    base, shown = (Shown.read(word).net().digest() for word in words)
    assert (base, shown) == (study.net.digest(), candidate(study, row.values).digest())
