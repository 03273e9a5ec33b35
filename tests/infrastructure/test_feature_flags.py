"""The CDK's feature flags: all that this version recommends, so that a synth does not list those that are not set."""

import json
import tarfile
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
from synthesis import context

OURS = {"@aws-cdk/core:suppressTemplateIndentation": True}
"""Flags that are not recommended. This one makes the template smaller, which has a limit of 1 MB."""


@pytest.fixture(scope="module")
def recommended() -> dict[str, Any]:
    """The CDK ships them in its JavaScript package."""
    (package,) = (Path(aws_cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(package) as archive:
        flags = archive.extractfile("package/recommended-feature-flags.json")
        assert flags is not None
        found: dict[str, Any] = json.load(flags)
    return found


def test_every_flag_that_is_recommended_is_set_as_recommended(recommended: dict[str, Any]) -> None:
    flags = {key: value for key, value in context().items() if key.startswith("@")}
    assert flags == {**recommended, **OURS}
