"""`python -m tests.integration.storm --histories 100`: random histories of days; see history.py."""

import argparse
import sys
from collections import Counter

from local.arguments import at_least_one
from tests.aws_in_process import aws_in_process
from tests.integration.storm.history import History


def main() -> int:
    """Run histories from seed 0 on; 1 if the tables of one differ from Apple's data."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.storm", allow_abbrev=False, description=__doc__)
    parser.add_argument("--histories", type=at_least_one, default=100)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--days", type=at_least_one, default=10)
    options = parser.parse_args()
    happened: Counter[str] = Counter()
    instances = wrong = 0
    for seed in range(options.first_seed, options.first_seed + options.histories):
        with aws_in_process():
            history = History(seed, options.days)
            differences = history.play()
        happened += history.happened
        instances += len(history.converted)
        wrong += bool(differences)
        for line in differences:
            sys.stdout.write(f"seed {seed}: {line}\n")
    told = ", ".join(f"{count} × {what}" for what, count in sorted(happened.items()))
    sys.stdout.write(f"{options.histories} histories, {instances:,} instances, {wrong} differ: {told}\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
