"""`python -m tests.integration.january`: the full 17 January: 92 apps, ten reports, 3,500 calls an hour."""

import argparse
import os
import sys
from pathlib import Path

import pytest

from local.arguments import at_least_one


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.integration.january", description=__doc__, allow_abbrev=False
    )
    parser.add_argument(
        "--reports", type=at_least_one, default=10, metavar="N", help="how many core reports (default: 10)"
    )
    os.environ["JANUARY_APPS"] = "92"
    os.environ["JANUARY_REPORTS"] = str(parser.parse_args().reports)  # before the import of the scenario
    return int(pytest.main([str(Path(__file__).parent), "-s", "-q", "-p", "no:cacheprovider"]))


if __name__ == "__main__":
    sys.exit(main())
