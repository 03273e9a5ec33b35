"""The installed pipeline in the console's template: referred to by names, never by cross-stack references.

Fixed names are used as they are. Names that CloudFormation generated are read from the outputs of the pipeline's stack
during the console's deployment, with `Fn::GetStackOutput`. Unlike an import, this does not block either stack: each can
be updated or destroyed without the other.
"""

from dataclasses import dataclass

from aws_cdk import Fn

from appstore_analytics.contract.names import Names
from infra.naming import arn


@dataclass(frozen=True, slots=True)
class InstalledPipeline:
    """The resources of an installed pipeline, as strings for environments and policies."""

    names: Names

    @property
    def lake_bucket(self) -> str:
        """The bucket with tables, parts and run reports."""
        return self._output("LakeBucket")

    @property
    def lake_bucket_output(self) -> dict[str, str]:
        """The token of the output with the lake bucket, as it appears in cdk-nag's findings."""
        return {"StackName": self.names.stack, "OutputName": "LakeBucket"}

    @property
    def registry_table(self) -> str:
        """The pipeline's registry table."""
        return self._output("RegistryTable")

    @property
    def registry_table_arn(self) -> str:
        """The ARN of that table."""
        return arn("dynamodb", f"table/{self.registry_table}")

    @property
    def registry_stream_arn(self) -> str:
        """The ARN of that table's stream."""
        return self._output("RegistryStreamArn")

    @property
    def state_machine_arn(self) -> str:
        """The ARN of the state machine; each of its executions is a run."""
        return arn("states", f"stateMachine:{self.names.name}")

    @property
    def execution_arns(self) -> str:
        """The ARNs of all executions."""
        return arn("states", f"execution:{self.names.name}:*")

    @property
    def alarm_topic_arn(self) -> str:
        """The ARN of the alarm topic."""
        return arn("sns", self.names.prefixed("alarms"))

    @property
    def dead_letters_arn(self) -> str:
        """The ARN of the dead-letter queue."""
        return arn("sqs", self.names.prefixed("dead-letters"))

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the pipeline's stack that the answers need, by name."""
        databases = {database.output: name for database, name in self.names.databases.items()}
        return {
            "LakeBucket": self.lake_bucket,
            "RegistryTable": self.registry_table,
            "StateMachineArn": self.state_machine_arn,
            "Workgroup": self.names.name,
            **databases,
        }

    def _output(self, name: str) -> str:
        return Fn.get_stack_output(self.names.stack, name)
