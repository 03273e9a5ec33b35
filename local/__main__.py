"""`python -m local`: the demo. ./quick_start.sh calls it."""

import sys

from local.ending import until_interrupted


def main() -> int:
    """Run the demo; 0 when all checks passed, 130 after Ctrl-C."""
    return until_interrupted(_demo)


def _demo() -> int:
    # Imported here, because the import takes seconds, and Ctrl-C has to end the demo cleanly during them too.
    from local.arguments import parse_arguments  # noqa: PLC0415

    arguments = parse_arguments(sys.argv[1:])
    from local import screens  # noqa: PLC0415
    from local.aws.server import EmbeddedAwsError  # noqa: PLC0415
    from local.demo import run_demo  # noqa: PLC0415
    from local.deployment import DeploymentError  # noqa: PLC0415

    try:
        return 1 if run_demo(arguments) else 0
    except (DeploymentError, EmbeddedAwsError) as error:
        screens.say(str(error), style="red")
        return 1


if __name__ == "__main__":
    sys.exit(main())
