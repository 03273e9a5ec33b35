"""For every test: aws-cdk-lib finds the node of .venv, whatever node this machine has or lacks."""

import os

from local.toolchain import node_environment

os.environ.update(node_environment())
