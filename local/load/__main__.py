"""`python -m local.load`: a first day and a day with data for many apps on the embedded AWS, measured.

A run without --quick writes its result to docs/load.md.
"""

import argparse
import sys

from local import screens
from local.arguments import at_least_one
from local.load.page import TARGET, failures, rows, write_result
from local.load.run import Load, run_load

_QUICK_APPS, _QUICK_REPORTS = 30, 2


def main() -> int:
    """Run, show the measurements, and write them to the page; 1 if a limit was exceeded or an app was not verified."""
    options = _options()
    with screens.deployment_progress() as progress:
        load = run_load(options.apps, options.reports, progress, progress)
    screens.show_rows(f"{load.apps:,} apps × {load.reports} reports", ("what", "measured", "limit"), rows(load))
    return _end(load, options.quick)


def _end(load: Load, quick: bool) -> int:
    wrong = failures(load)
    screens.show_checks([(sentence, False) for sentence in wrong])
    if not quick and not wrong:
        write_result(load)
        screens.say(f"Written to {TARGET.name}.")
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.load", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--apps", type=at_least_one, default=1000, metavar="N", help="how many apps Apple has (default: 1000)"
    )
    parser.add_argument(
        "--reports", type=at_least_one, default=6, metavar="N", help="how many core reports (default: 6)"
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"{_QUICK_APPS} apps × {_QUICK_REPORTS} reports, and nothing is written"
    )
    options = parser.parse_args()
    if options.quick:
        options.apps, options.reports = _QUICK_APPS, _QUICK_REPORTS
    return options


if __name__ == "__main__":
    sys.exit(main())
