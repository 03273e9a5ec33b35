"""The CDK app: the pipeline's stack, and the console's if cdk.json asks for it.

`cdk deploy <stack>` deploys a stack into the account and region of the AWS credentials.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "layers" / "pipeline" / "python"))
sys.path.insert(1, str(Path(__file__).resolve().parent / "layers" / "console" / "python"))

from aws_cdk import App

from appstore_analytics.contract.errors import ConfigurationRefused
from infra.configuration import parse_context, refuse_where_console_cannot_be
from infra.console.layers import AWS_SERVICES
from infra.console.pages import pages_of_this_project
from infra.console.stack import ConsoleParts, ConsoleStack
from infra.layers import AWS_TARGET, OF_THE_CONSOLE, THIS_MACHINE, LayerBuildError, Target, build_layers
from infra.stack import AppStoreAnalyticsStack


def main() -> None:
    """Synthesize the stack. A refused context or a layer that cannot be built ends with one sentence."""
    app = App()
    try:
        configuration = parse_context(app.node.get_all_context())
        # Set by the CDK command line; otherwise the template is for any region.
        refuse_where_console_cannot_be(configuration, os.environ.get("CDK_DEFAULT_REGION", ""))
        target = THIS_MACHINE if configuration.local else AWS_TARGET
        layer_folders = build_layers(target)
        parts = _console_parts(target) if configuration.console else None
    except (ConfigurationRefused, LayerBuildError) as error:
        sys.exit(str(error))
    AppStoreAnalyticsStack(app, configuration.names.stack, configuration, layer_folders)
    if parts:
        ConsoleStack(app, configuration.names.console_stack, configuration, parts)
    app.synth()


def _console_parts(target: Target) -> ConsoleParts:
    return ConsoleParts(build_layers(target, layers=OF_THE_CONSOLE, services=AWS_SERVICES), pages_of_this_project())


if __name__ == "__main__":
    main()
