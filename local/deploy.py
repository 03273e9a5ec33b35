"""`python -m local.deploy`: the pipeline on the embedded AWS against any App Store Connect, until Ctrl-C.

For another server that speaks Apple's API: name it in the context, and give the key that it accepts.
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from local import screens
from local.aws.server import EmbeddedAws
from local.deployment import DeploymentError, deploy, put_api_key
from operations.embedded import announced


def main() -> int:
    """Deploy, say how to reach what runs, and wait; 1 when the deployment fails."""
    signal.signal(signal.SIGTERM, _interrupt)
    options = _options()
    try:
        with EmbeddedAws() as aws:
            with screens.deployment_progress() as progress:
                deployment = deploy(aws, options.context, progress)
            if options.api_key:
                put_api_key(aws, options.key_name, json.loads(options.api_key.read_text()))
            screens.show_environment(aws.environment)
            screens.say(f"State machine: {deployment.state_machine_arn}")
            screens.say(f"Raw bucket: {deployment.raw_bucket}   Lake bucket: {deployment.lake_bucket}")
            screens.say("Running until Ctrl-C; ./manage.py --local finds it.")
            with announced(aws.url):
                threading.Event().wait()
    except DeploymentError as error:
        screens.say(str(error), style="red")
        return 1
    except KeyboardInterrupt:
        screens.say("stopped; nothing is left running")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.deploy", description=__doc__)
    parser.add_argument(
        "--context",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a key of cdk.json's context, its value as JSON or text; may be repeated",
    )
    parser.add_argument("--key-name", default="main", help="whose secret gets the key: the account's name (main)")
    parser.add_argument(
        "--api-key", type=Path, metavar="FILE", help="JSON with key_id, private_key and, for team keys, issuer_id"
    )
    options = parser.parse_args()
    options.context = dict(_pair(text, parser) for text in options.context)
    return options


def _pair(text: str, parser: argparse.ArgumentParser) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign:
        parser.error(f"--context {text!r} must be KEY=VALUE")
    return key, value


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
