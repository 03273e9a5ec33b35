"""The pipeline's names on AWS are defined in one place in the code."""

import re
from pathlib import Path

import pytest

from appstore_analytics.contract.names import LONGEST_NAME, SERVICE, STACK, Database, Names, api_key_output
from infra.functions import CAPACITIES

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("layers/pipeline/python", "functions", "infra", "local", "operations", "benchmarks", "workshop", "app.py")
HOME = ROOT / "layers/pipeline/python/appstore_analytics/contract/names.py"
SPELLED = re.compile(rf"""["'`/]({re.escape(SERVICE)}|{STACK})\b""")
A_SECRET_FOR_EXAMPLE = 'like \\"appstore-analytics-slack\\"'


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_module_spells_the_names(room: str) -> None:
    files = [ROOT / room] if room.endswith(".py") else (ROOT / room).rglob("*.py")
    for file in files:
        code = re.sub(r'""".*?"""|#[^\n]*', "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        found = SPELLED.search(code.replace(A_SECRET_FOR_EXAMPLE, ""))
        assert found is None or file == HOME, f"{file.relative_to(ROOT)} spells {found[0]}: import it"


@pytest.mark.parametrize("step", CAPACITIES)
def test_a_function_is_named_by_its_step_and_back(step: str) -> None:
    for names in (Names(), Names("studio-staging")):
        assert names.step_of(names.function(step)) == step
    assert len(Names("n" * LONGEST_NAME).function(step)) <= 64


def test_an_installation_without_a_name_has_the_names_of_the_first_versions() -> None:
    names = Names()
    assert (names.name, names.stack, names.metrics_namespace) == (SERVICE, STACK, STACK)
    assert names.databases == {Database.CURATED: "curated", Database.APPSTORE: "appstore", Database.MARTS: "marts"}


def test_another_name_prefixes_the_databases_that_are_not_given() -> None:
    names = Names("studio-staging", {Database.APPSTORE: "analytics_records"})
    assert names.databases == {
        Database.CURATED: "studio_staging_curated",
        Database.APPSTORE: "analytics_records",
        Database.MARTS: "studio_staging_marts",
    }


def test_the_output_of_a_key_is_one_word() -> None:
    assert api_key_output("main/reader") == "ApiKeySecretMainReader"
    assert api_key_output("second-account") == "ApiKeySecretSecondAccount"
