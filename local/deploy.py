"""`python -m local.deploy`: the pipeline on the embedded AWS against any App Store Connect, until Ctrl-C.

For another server that speaks Apple's API: name it in the context, and store the key that it accepts with
`./manage.py --local put-key`.
"""

import argparse
import sys
from typing import Any

from local import screens
from local.aws.server import EmbeddedAws, EmbeddedAwsError
from local.console import invite_one_of_each_role
from local.deployment import DeploymentError, deploy, deploy_console
from local.ending import until_interrupted
from operations.embedded import announced


def main() -> int:
    """Deploy, print how to use the deployment, and wait; 1 if the deployment fails, 130 after Ctrl-C."""
    options = _options()
    return until_interrupted(lambda: _deployed_until_interrupted(options))


def _deployed_until_interrupted(options: argparse.Namespace) -> int:
    try:
        with EmbeddedAws() as aws:
            _deploy(aws, options)
            with announced(aws.url):
                aws.wait()
    except (DeploymentError, EmbeddedAwsError) as error:
        screens.say(str(error), style="red")
    return 1


def _deploy(aws: EmbeddedAws, options: argparse.Namespace) -> None:
    with screens.deployment_progress() as progress:
        deployment = deploy(aws, options.context, progress)
        console = deploy_console(aws, options.context, progress) if options.console else None
    screens.show_environment(aws.environment)
    screens.say(f"State machine: {deployment.state_machine_arn}")
    screens.say(f"Raw bucket: {deployment.raw_bucket}   Lake bucket: {deployment.lake_bucket}")
    if console:
        screens.show_console(console.url, invite_one_of_each_role(aws, console))
    screens.say("Running until Ctrl-C; ./manage.py --local finds it.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.deploy", allow_abbrev=False, description=__doc__)
    parser.add_argument(
        "--context",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a key of cdk.json's context, its value as JSON or text; may be repeated",
    )
    parser.add_argument("--console", action="store_true", help="also deploy the web console, with a user of each role")
    options = parser.parse_args()
    options.context = dict(_pair(text, parser) for text in options.context)
    return options


def _pair(text: str, parser: argparse.ArgumentParser) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign:
        parser.error(f"--context {text!r} must be KEY=VALUE")
    return key, value


if __name__ == "__main__":
    sys.exit(main())
