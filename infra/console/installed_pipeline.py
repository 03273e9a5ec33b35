"""The pipeline as the console's template knows it: by names, never by a reference between the stacks.

What has a fixed name is spelled. What CloudFormation named is read from the outputs of the pipeline's stack when the
console is deployed, by `Fn::GetStackOutput`. Unlike an import, that holds neither stack back: each is updated, or
destroyed, without the other.
"""

from dataclasses import dataclass

from aws_cdk import Fn

from appstore_analytics.contract.names import Names
from infra.naming import arn


@dataclass(frozen=True, slots=True)
class InstalledPipeline:
    """Where everything of an installed pipeline is, as strings for environments and policies."""

    names: Names

    @property
    def lake_bucket(self) -> str:
        """The bucket with tables, parts and run reports."""
        return self._output("LakeBucket")

    @property
    def lake_bucket_output(self) -> dict[str, str]:
        """How the template names the output with the lake bucket, which cdk-nag spells in its findings."""
        return {"StackName": self.names.stack, "OutputName": "LakeBucket"}

    @property
    def registry_table(self) -> str:
        """The DynamoDB table of the pipeline's facts."""
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
        """The ARN of the state machine, an execution of which is a run."""
        return arn("states", f"stateMachine:{self.names.name}")

    @property
    def execution_arns(self) -> str:
        """The ARNs of all executions."""
        return arn("states", f"execution:{self.names.name}:*")

    @property
    def alarm_topic_arn(self) -> str:
        """The ARN of the topic to which alarms are published."""
        return arn("sns", self.names.prefixed("alarms"))

    @property
    def dead_letters_arn(self) -> str:
        """The ARN of the queue for what could not be delivered."""
        return arn("sqs", self.names.prefixed("dead-letters"))

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the pipeline's stack that answers need, by their names."""
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
