"""The CDK app: the pipeline's stack, and the console's where cdk.json wants one.

`cdk deploy <stack>` puts it into the account and region that the AWS credentials are for.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "layers" / "pipeline" / "python"))
sys.path.insert(1, str(Path(__file__).resolve().parent / "layers" / "console" / "python"))

from aws_cdk import App

from appstore_analytics.contract.errors import ConfigurationRefused
from infra.configuration import DeploymentConfiguration, parse_context, refuse_where_console_cannot_be
from infra.console.pages import pages_of_this_project
from infra.console.stack import ConsoleParts, ConsoleStack
from infra.layers import (
    AWS_TARGET,
    OF_THE_CONSOLE,
    OF_THE_PIPELINE,
    THIS_MACHINE,
    LayerBuildError,
    ThirdPartyLayer,
    build_layers,
)
from infra.stack import AppStoreAnalyticsStack


def main() -> None:
    """Synthesize; a refused context or a layer that cannot be built ends with its sentence."""
    app = App()
    try:
        configuration = parse_context(app.node.get_all_context())
        # The CDK command line says it; without, the template is for any region.
        refuse_where_console_cannot_be(configuration, os.environ.get("CDK_DEFAULT_REGION", ""))
        layer_folders = _layer_folders(configuration)
        pages = pages_of_this_project() if configuration.console else {}
    except (ConfigurationRefused, LayerBuildError) as error:
        sys.exit(str(error))
    AppStoreAnalyticsStack(app, configuration.names.stack, configuration, layer_folders)
    if configuration.console:
        parts = ConsoleParts(layer_folders, pages)
        ConsoleStack(app, configuration.names.console_stack, configuration, parts)
    app.synth()


def _layer_folders(configuration: DeploymentConfiguration) -> dict[ThirdPartyLayer, Path]:
    layers = OF_THE_CONSOLE if configuration.console else OF_THE_PIPELINE
    return build_layers(THIS_MACHINE if configuration.local else AWS_TARGET, layers=layers)


if __name__ == "__main__":
    main()
