"""Where the embedded AWS and the real one differ, a test holds the template or the code to the real one."""

import re

from tests.unit.docs.reading_docs import ROOT, rows

TEST = re.compile(r"(tests/[\w/]+\.py):(test_\w+)")


def test_every_difference_names_a_test_that_exists() -> None:
    differences = rows(ROOT / "docs" / "embedded-aws.md", "AWS")
    assert len(differences) >= 15
    for aws, _, asserted in differences:
        found = TEST.findall(asserted)
        assert found, aws
        for file, name in found:
            assert f"\ndef {name}(" in (ROOT / file).read_text(encoding="utf-8"), name
