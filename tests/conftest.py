"""For every test: aws-cdk-lib finds the node of .venv, and no variable of the shell leads from moto to another AWS."""

import os

from workshop.toolchain import node_environment

os.environ.update(node_environment())
for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL") or name == "AWS_PROFILE"]:
    del os.environ[name]  # the README tells people to export the one of a kept embedded AWS
