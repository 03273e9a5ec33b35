"""The names of the pipeline on AWS that people see, or that functions and template share."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SERVICE = "appstore-analytics"
"""The name of this software: the default name of an installation, and the user agent of its requests."""

STACK = "AppStoreAnalytics"
"""The CloudFormation stack of the default name, and the namespace of its CloudWatch metrics."""

LONGEST_NAME = 40
"""A Lambda function's name has at most 64 characters and ends with its step: a test adds them up."""

CONSOLE_SUFFIX = "-console"
"""The suffix of a console stack's name; names of installations must not end with it."""

_NAME = re.compile(rf"(?=.{{2,{LONGEST_NAME}}}$)[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
# A workgroup of every account, and the prefixes that S3 keeps for itself.
_TAKEN_BY_AWS = re.compile(r"primary|(?:sthree|amzn-s3-demo)(?:-.*)?")


class Database(StrEnum):
    """The Glue databases, each by its contents. The value is its name in an installation with the default name."""

    CURATED = "curated"  # Apple's rows
    APPSTORE = "appstore"  # the pipeline's own records
    MARTS = "marts"  # KPIs

    @property
    def output(self) -> str:
        """The stack output with its name: `CuratedDatabase`."""
        return f"{self.capitalize()}Database"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one installation. Two installations with different names share no name in an account and region.

    `name` consists of a-z, 0-9 and hyphens. `given_databases` are the Glue names that the context gives; the others
    follow from `name`.
    """

    name: str = SERVICE
    given_databases: Mapping[Database, str] = field(default_factory=dict)

    @property
    def stack(self) -> str:
        """The CloudFormation stack. AWS derives the names of buckets, roles and the registry from it."""
        return STACK if self.name == SERVICE else self.name

    @property
    def console_stack(self) -> str:
        """The CloudFormation stack of the web console, if it is deployed."""
        return f"{self.name}{CONSOLE_SUFFIX}"

    @property
    def metrics_namespace(self) -> str:
        """The namespace of the CloudWatch metrics."""
        return self.stack

    @property
    def databases(self) -> dict[Database, str]:
        """The Glue name of each database: `curated`, or `<name>_curated` with underscores for the name's hyphens."""
        prefix = "" if self.name == SERVICE else f"{self.name.replace('-', '_')}_"
        return {each: self.given_databases.get(each, f"{prefix}{each}") for each in Database}

    @property
    def api_key_secret_prefix(self) -> str:
        """The secret of an API key is `<this prefix><key name>`."""
        return f"{self.name}/"

    def prefixed(self, what: str) -> str:
        """The name of an alarm, a layer, a schedule, the queue or the topic: `appstore-analytics-daily`."""
        return f"{self.name}-{what}"

    def function(self, step: str) -> str:
        """The Lambda function of a step: `plan_run` → `appstore-analytics-plan-run`."""
        return self.prefixed(step.replace("_", "-"))

    def step_of(self, function: str) -> str:
        """The step of a Lambda function's name, the reverse of `function`."""
        return function.removeprefix(self.prefixed("")).replace("-", "_")


def is_name(text: str) -> bool:
    """Whether an installation can have this name: AWS accepts names that begin with it, for every kind of resource."""
    return bool(_NAME.fullmatch(text)) and not _TAKEN_BY_AWS.fullmatch(text)


def api_key_output(key_name: str) -> str:
    """The stack output that names the secret of an API key: `main/reader` → `ApiKeySecretMainReader`."""
    return "ApiKeySecret" + "".join(word.capitalize() for word in re.split("[-/]", key_name))
