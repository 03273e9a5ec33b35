"""The part of `docs/generate.py` that runs in .venv: writes the generated pages, or compares them."""

import argparse
import sys

from appstore_console.routes.acting import ACTING
from appstore_console.routes.reading import READING
from appstore_console.schemas import document
from docs.console_types import console_types
from docs.dbt_sources import dbt_sources
from docs.kpis_page import kpis_page
from docs.pages import FOLDER
from docs.pipeline_picture import pipeline_picture
from docs.reliability_page import reliability_page
from docs.reports_page import reports_page


def main() -> int:
    """Write the pages, or with --check compare; 1 when one is out of date."""
    parser = argparse.ArgumentParser(
        prog="docs/generate.py",
        description="Write the generated pages of the documentation.",
        allow_abbrev=False,
    )
    parser.add_argument("--check", action="store_true", help="write nothing, exit with 1 if a page is out of date")
    check = parser.parse_args().check
    pages = {
        "docs/reports.md": reports_page(),
        "docs/kpis.md": kpis_page(),
        "docs/reliability.md": reliability_page(),
        "docs/pictures/pipeline.svg": pipeline_picture(),
        "docs/dbt/sources.yml": dbt_sources(),
        "docs/openapi.json": document.text((*READING, *ACTING)),
        "console/api/answers.d.ts": console_types(),
    }
    stale = 0
    for name, page in pages.items():
        path = FOLDER.parent / name
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != page:
            sys.stderr.write(f"{name} is out of date: run `python docs/generate.py` and commit the result.\n")
            stale = 1
    return stale
