"""The CDK app: `cdk deploy` puts the pipeline into the account and region of the AWS credentials."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "layers" / "pipeline" / "python"))

from aws_cdk import App

from appstore_analytics.contract.errors import ConfigurationRefused
from infra.configuration import parse_context
from infra.layers import AWS_TARGET, THIS_MACHINE, LayerBuildError, build_layers
from infra.stack import AppStoreAnalyticsStack


def main() -> None:
    """Synthesize the stack. A refused context or a layer that cannot be built ends with one sentence."""
    app = App()
    try:
        configuration = parse_context(app.node.get_all_context())
        layer_folders = build_layers(THIS_MACHINE if configuration.local else AWS_TARGET)
    except (ConfigurationRefused, LayerBuildError) as error:
        sys.exit(str(error))
    AppStoreAnalyticsStack(app, configuration.names.stack, configuration, layer_folders)
    app.synth()


if __name__ == "__main__":
    main()
