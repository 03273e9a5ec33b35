"""The options of `./quick_start.sh`. Standard library only, so that `--help` works before .venv exists."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arguments:
    """The options of one demo: number of apps, seed of the sample data, and whether to keep everything running."""

    apps: int
    seed: int
    keep: bool


def parse_arguments(arguments: Sequence[str]) -> Arguments:
    """The demo's arguments; argparse exits with one sentence if they are invalid."""
    parsed = _parser().parse_args(arguments)
    return Arguments(apps=parsed.apps, seed=parsed.seed, keep=parsed.keep)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./quick_start.sh",
        description="Deploys the pipeline onto an AWS inside this machine, feeds it from a simulated App Store Connect "
        "and queries the tables. Needs Python 3.11 or newer: no AWS account, no API key, no Docker, no Node.",
        allow_abbrev=False,
        epilog="The first start makes .venv in this folder (about a minute, 1 GB). Nothing is installed outside of it.",
    )
    parser.add_argument(
        "--apps", type=at_least_one, default=70, metavar="N", help="apps in the simulated account (default: 70)"
    )
    parser.add_argument(
        "--seed", type=whole_number, default=1, metavar="N", help="sample data; the same N gives the same data"
    )
    parser.add_argument("--keep", action="store_true", help="keep everything running afterwards")
    parser.add_argument(
        "--clean",
        action="store_true",
        help="remove what was created here (.venv, .build, cdk.out, console/node_modules) and exit",
    )
    return parser


def whole_number(text: str) -> int:
    """A whole number; argparse's error for anything else."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def at_least_one(text: str) -> int:
    """A whole number above 0; argparse's error for anything else."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


if __name__ == "__main__":
    parse_arguments(sys.argv[1:])
