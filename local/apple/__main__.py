"""`python -m local.apple --port 8080 --apps 70`: the simulated App Store Connect, until Ctrl-C."""

import argparse
import os
import sys
import tempfile
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from appstore_analytics.contract.catalogue.definition import AccessType
from local.apple.keys import ApiKey
from local.apple.model import WorldSettings
from local.apple.server import SimulatedApple
from local.apple.world import World
from local.arguments import at_least_one, whole_number
from workshop.running import running

_LAST_PORT = 65_535
_LONGEST_DAYS_AGO = 35
"""The lifetime of instances."""


def main() -> None:
    """Serves until interrupted. The private key is written to a file that only its owner can read, never printed."""
    options = _options(sys.argv[1:])
    today = options.today or datetime.now(UTC).date()
    settings = WorldSettings(
        today=today - timedelta(days=options.requested_days_ago),
        seed=options.seed,
        apps=options.apps,
        rows_per_date=options.rows_per_date,
        history_start=options.history_start or today - timedelta(days=90),
    )
    world = World(settings)
    _let_requests_be_made(world, options.requested_days_ago)
    key_file = _written_key(world.admin_key, options.key_file)
    with SimulatedApple(world, options.port) as apple:
        sys.stdout.write(
            f"App Store Connect (simulated) at {apple.url}, {len(world.apps)} apps, business date {world.today}\n"
            f"issuer id {world.keys.issuer_id}, key id {world.admin_key.key_id}, private key in {key_file}\n"
            f"control it: {apple.url}/_control/state; stop it: Ctrl-C\n"
        )
        sys.stdout.flush()
        with running(f"the simulated App Store Connect at {apple.url}"):
            _wait()


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.apple", allow_abbrev=False, description=__doc__)
    parser.add_argument("--port", type=_port, default=0, help="0 chooses a free one")
    parser.add_argument("--apps", type=at_least_one, default=3)
    parser.add_argument("--seed", type=whole_number, default=7)
    parser.add_argument("--rows-per-date", type=at_least_one, default=100)
    parser.add_argument("--today", type=date.fromisoformat, help="business date at the start; default: today (UTC)")
    parser.add_argument("--history-start", type=date.fromisoformat, help="of snapshots; default: 90 days before today")
    parser.add_argument(
        "--requested-days-ago",
        type=_days,
        default=7,
        help="the age of every app's ONGOING request in days, so that there is data at once; 0: no app has one",
    )
    parser.add_argument("--key-file", type=Path, help="where to write the private key; default: a new temporary folder")
    options = parser.parse_args(arguments)
    if options.key_file and not options.key_file.parent.is_dir():
        parser.error(f"argument --key-file: there is no folder {options.key_file.parent}")
    return options


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= _LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to {_LAST_PORT}")
    return int(text)


def _days(text: str) -> int:
    days = int(text)
    if not 0 <= days <= _LONGEST_DAYS_AGO:
        raise argparse.ArgumentTypeError(f"must be 0 to {_LONGEST_DAYS_AGO} days")
    return days


def _let_requests_be_made(world: World, days_ago: int) -> None:
    if days_ago:
        for app_id in world.apps:
            world.create_request(app_id, AccessType.ONGOING)
        world.advance(days_ago)


def _written_key(key: ApiKey, path: Path | None) -> Path:
    path = path or Path(tempfile.mkdtemp(prefix="simulated-apple-")) / f"AuthKey_{key.key_id}.p8"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(key.private_key_pem)
    return path


def _wait() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        sys.stdout.write("stopped\n")


if __name__ == "__main__":
    main()
