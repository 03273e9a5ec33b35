"""For every test: aws-cdk-lib finds the node of .venv, no variable of the shell leads from moto to another AWS, what a
test starts can be interrupted, and hypothesis tries as many examples as its profile says: `full`, or `fast`, which
HYPOTHESIS_PROFILE or pytest's --hypothesis-profile choose; and Python's collector leaves alone what imports have made.
"""

import gc
import os
import signal
import sys
from typing import Any

import pytest
from hypothesis import settings

from tests.scheduling import OneDeployment
from workshop.toolchain import node_environment

os.environ.update(node_environment())
for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL") or name == "AWS_PROFILE"]:
    del os.environ[name]  # the README tells people to export this variable for a kept embedded AWS

# A shell's background job ignores SIGINT, and every process that a test starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The processes that tests start share the byte code that the first one makes, even if the shell forbids it.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# No deadline: on a busy machine a test could fail because of other processes.
settings.register_profile("full", max_examples=100, deadline=None)
settings.register_profile("fast", max_examples=15, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "full"))


def pytest_collection_finish() -> None:
    """The modules and tests stay until the end: looking through them again and again would be a sixth of the time."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Otherwise DuckDB says at the end, even of a run of one folder, that its types have leaked."""
    gc.unfreeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneDeployment | None:
    """In the place of xdist's own for `--dist loadfile`."""
    return OneDeployment(config, log) if config.getvalue("dist") == "loadfile" else None
