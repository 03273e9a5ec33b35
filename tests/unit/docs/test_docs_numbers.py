"""Numbers in the prose, against the constants in the code."""

import pytest

from appstore_analytics.apple import client, keys, segments
from appstore_analytics.contract.catalogue import CORE_REPORT_NAMES, REPORTS
from appstore_analytics.registry import instances
from appstore_analytics.registry.runs import REMEMBERED
from appstore_analytics.rules import call_budget, due
from appstore_analytics.steps import convert_instance, plan_run
from tests.unit.docs.reading_docs import ROOT

TOKEN_MINUTES = keys._LIFETIME.seconds // 60
RENEWED_MINUTES = (keys._LIFETIME - keys._RENEWED_BEFORE_END).seconds // 60
WORDS = {3: "three", 4: "four", 5: "five"}

SENTENCES = [
    ("docs/configuration.md", f"{call_budget._SPARED:.0%}".replace("%", " %") + " of it is left unused"),
    ("docs/configuration.md", f'`"core"` ({len(CORE_REPORT_NAMES)} reports), `"all"` ({len(REPORTS)})'),
    ("docs/glossary.md", f"one of Apple's {len(REPORTS)} Analytics Reports"),
    ("docs/apple.md", f"the catalogue has {len(REPORTS)}"),
    ("README.md", f"waits up to {WORDS[plan_run.SNAPSHOT_PATIENCE.days]} days for the snapshot"),
    ("README.md", f"the daily runs look after it for {due.INSTANCE_LIFE_DAYS} days"),
    ("README.md", f"is older than {due._SNAPSHOT_RENEWED_AFTER_DAYS} days"),
    ("README.md", f"after {WORDS[due._SNAPSHOT_BUILT_WITHIN_DAYS + 1]} days without any instance"),
    ("README.md", f"(`retention.noncurrent_lake`, at most {REMEMBERED.days})"),
    ("README.md", f"(`retention.raw`, at most {instances._REMEMBERED.days})"),
    ("README.md", f"A new key is picked up within {WORDS[RENEWED_MINUTES]} minutes"),
    ("docs/security.md", f"replaced every {RENEWED_MINUTES} minutes, valid for {TOKEN_MINUTES}"),
    ("docs/security.md", f"pages lead to the same host, at most {client._MOST_PAGES} of them"),
    ("docs/security.md", f"answers end at {client._LONGEST_ANSWER_BYTES >> 20} MiB unpacked"),
    ("docs/reliability.md", f"A list ends after {client._MOST_PAGES} pages"),
    ("docs/reliability.md", f"A call waits at most {client._TIMEOUT_SECONDS[1]} seconds for the next bytes"),
    ("docs/reliability.md", f"and {client.LONGEST_CALL_SECONDS} seconds in all"),
    ("docs/reliability.md", f"a download {segments._TIMEOUT_SECONDS[1]} seconds"),
    ("docs/reliability.md", f"and {WORDS[segments._LONGEST_DOWNLOAD_SECONDS // 60]} minutes"),
    ("docs/operations.md", f"started more than {REMEMBERED.days} days ago, because their records have expired"),
    ("docs/operations.md", f"The newest {convert_instance._DATES_NAMED} Dates of each instance are listed"),
]


@pytest.mark.parametrize(("page", "sentence"), SENTENCES)
def test_a_page_says_the_number_that_the_code_has(page: str, sentence: str) -> None:
    if sentence not in " ".join((ROOT / page).read_text(encoding="utf-8").split()):
        pytest.fail(f"{page} does not say what the code does: {sentence!r}", pytrace=False)
