"""KPIs on a terminal and as CSV, and a comparison with the period before."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from appstore_analytics.answers.facts import to_json
from appstore_analytics.answers.kpi_catalogue import kpi_catalogue
from appstore_analytics.answers.kpi_comparison import compare_with_previous
from appstore_analytics.answers.kpis import KpiAnswer, KpiMeaning, KpiPoint, KpiQuestion, KpiSeries
from appstore_analytics.contract.tables import tables_by_name
from appstore_analytics.model.kpis import DateState
from operations import commands
from operations.commands.kpis import _write_csv
from operations.exits import ExitStatus
from operations.kpi_screen import number_text, show_catalogue, show_kpis

FIRST = date(2026, 11, 1)
APP = "1000000001"
QUESTION = KpiQuestion(("total_downloads",), FIRST, FIRST + timedelta(days=4))
MEANING = KpiMeaning("total_downloads", "Total downloads", "", "sum", "", "…", "No updates, no restores.")
STATES = (DateState.FINAL, DateState.ZERO, DateState.MISSING, DateState.NOT_DUE, DateState.PRELIMINARY)


def ask(question: KpiQuestion, values: tuple[int | None, ...] = (8, 0, None, None, 4)) -> KpiAnswer:
    points = tuple(
        KpiPoint(question.start + timedelta(days=number), value, state)
        for number, (value, state) in enumerate(zip(values, STATES, strict=True))
    )
    series = KpiSeries("total_downloads", APP, None, sum(value or 0 for value in values), FIRST, points)
    return KpiAnswer(question.start, question.end, "", (MEANING,), (series,), ())


def test_zero_missing_not_due_and_preliminary_look_different(capsys: pytest.CaptureFixture[str]) -> None:
    show_kpis(ask(QUESTION), {APP: "Tiny Chess"})
    shown = capsys.readouterr().out
    assert f"{APP} Tiny Chess" in shown
    assert "█_? ▅" in shown
    lines = {line.split()[0]: line for line in shown.splitlines() if line.startswith("2026-")}
    assert "█" * 24 in lines["2026-11-01"]
    assert "░" * 12 in lines["2026-11-05"]
    assert "█" not in lines["2026-11-05"]
    assert lines["2026-11-02"].split()[1:] == ["0", "zero"]
    assert lines["2026-11-03"].split()[1:] == ["–", "missing"]
    assert shown.count(MEANING.trap) == 1
    assert "1 due Date without a value." in shown


def test_a_period_is_compared_with_the_days_before_it() -> None:
    asked = []

    def both(question: KpiQuestion) -> KpiAnswer:
        asked.append((question.start, question.end))
        return ask(question) if question == QUESTION else ask(question, (16, 0, None, None, 0))

    found = compare_with_previous(QUESTION, both)
    assert asked[1] == (FIRST - timedelta(days=5), FIRST - timedelta(days=1))
    (change,) = found.changes
    assert (change.total, change.previous, change.change, change.is_final) == (12, 16, -0.25, False)
    assert found.sentence.endswith("Some Dates are not final, so the changes are preliminary.")
    assert to_json(found)["changes"][0]["change"] == -0.25


@pytest.mark.parametrize("previous", [None, 0])
def test_without_an_earlier_total_there_is_no_change(previous: int | None, capsys: pytest.CaptureFixture[str]) -> None:
    def both(question: KpiQuestion) -> KpiAnswer:
        found = ask(question)
        if question == QUESTION:
            return found
        return replace(found, series=tuple(replace(one, total=previous) for one in found.series))

    comparison = compare_with_previous(QUESTION, both)
    assert comparison.changes[0].change is None
    show_kpis(comparison.current, {}, comparison)
    assert "%" not in capsys.readouterr().out


def test_csv_tells_a_zero_from_what_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    _write_csv(ask(QUESTION))
    assert capsys.readouterr().out.splitlines()[:4] == [
        "kpi,app_id,slice,dt,value,state,restated_from,restated_on",
        f"total_downloads,{APP},,2026-11-01,8,final,,",
        f"total_downloads,{APP},,2026-11-02,0,zero,,",
        f"total_downloads,{APP},,2026-11-03,,missing,,",
    ]


def test_a_restated_date_says_what_it_was_and_since_when(capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(QUESTION)
    (series,) = found.series
    first, second, *others = series.points
    on = date(2026, 11, 20)
    points = (replace(first, restated_from=1234, restated_on=on), replace(second, restated_on=on), *others)
    restated = replace(found, series=(replace(series, points=points),))
    show_kpis(restated, {})
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.startswith("2026-")}
    assert lines["2026-11-01"].rstrip().endswith("final, restated 2026-11-20, was 1,234")
    assert lines["2026-11-02"].rstrip().endswith("zero, restated 2026-11-20")
    _write_csv(restated)
    assert capsys.readouterr().out.splitlines()[1] == f"total_downloads,{APP},,2026-11-01,8,final,1234,2026-11-20"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0"), (1234567, "1,234,567"), (Decimal("12.50"), "12.5"), (0.123456, "0.1235"), (-3.0, "-3")],
)
def test_numbers_are_for_people(value: int | Decimal | float | None, text: str) -> None:
    assert number_text(value) == text


def test_the_kpis_are_listed_with_what_each_can_be_split_by(capsys: pytest.CaptureFixture[str]) -> None:
    downloads = next(table for table in tables_by_name().values() if table.name == "downloads")
    show_catalogue(kpi_catalogue([downloads]))
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert lines["total_downloads"].split(maxsplit=4)[:4] == ["total_downloads", "Total", "downloads", "exact"]
    assert "territory" in lines["total_downloads"]
    assert "not deployed" not in lines["total_downloads"]
    assert "not deployed: sessions" in lines["active_devices"]
    assert "at most" in lines["active_devices"]


def test_values_cannot_be_asked_for_without_saying_of_which_kpi(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        commands.main(["kpis", "--by", "territory"])
    assert end.value.code == ExitStatus.REFUSED
    assert capsys.readouterr().err.startswith("--metrics is missing: give names such as total_downloads")


def test_months_and_weeks_are_compared_with_as_many_months_and_weeks() -> None:
    asked = {}

    def answers(question: KpiQuestion) -> KpiAnswer:
        asked[question.metrics] = question.start, question.end
        meanings = tuple(replace(MEANING, name=name) for name in question.metrics)
        series = tuple(KpiSeries(name, APP, None, 10, None, ()) for name in question.metrics)
        return KpiAnswer(question.start, question.end, "", meanings, series, ("KPIs not built yet.",))

    names = ("monthly_active_devices", "total_downloads", "weekly_active_devices")
    question = KpiQuestion(names, date(2026, 3, 1), date(2026, 4, 30))
    found = compare_with_previous(question, answers)
    assert asked == {
        names: (date(2026, 3, 1), date(2026, 4, 30)),
        ("monthly_active_devices",): (date(2026, 1, 1), date(2026, 2, 1)),
        ("total_downloads",): (date(2025, 12, 30), date(2026, 2, 28)),
        ("weekly_active_devices",): (date(2025, 12, 29), date(2026, 2, 23)),
    }
    assert (found.previous.start, found.previous.end) == (date(2025, 12, 29), date(2026, 2, 28))
    assert [one.kpi for one in found.changes] == [one.kpi for one in found.previous.series] == list(names)
    assert {one.change for one in found.changes} == {0.0}
    assert found.previous.notices == ("KPIs not built yet.",)


def test_a_period_without_a_date_of_the_kpi_is_shifted_by_its_days() -> None:
    asked = []

    def answers(question: KpiQuestion) -> KpiAnswer:
        asked.append((question.start, question.end))
        return KpiAnswer(question.start, question.end, "", (), (), ())

    compare_with_previous(KpiQuestion(("monthly_active_devices",), date(2026, 3, 2), date(2026, 3, 11)), answers)
    assert asked[1] == (date(2026, 2, 20), date(2026, 3, 1))
