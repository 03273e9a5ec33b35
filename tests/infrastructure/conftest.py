import pytest
from machines import Machine
from synthesis import Synthesis, context, synthesize


@pytest.fixture(scope="module")
def machine(synthesis: Synthesis) -> Machine:
    return synthesis.definition()


@pytest.fixture(scope="session")
def synthesis(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """One synthesis for the whole session."""
    return synthesize(
        tmp_path_factory.mktemp("synthesis"),
        context(alarm_email="on-call@example.com", alarm_slack_secret="harbor/slack"),
    )
