"""The state machine: plan_run, five Distributed Maps over manifests in S3, what no data depends on, summarize_run.

    PlanRun → DecideOperation
       daily, backfill │ → PlanRegister → Register ┐
              rollback │ → PlanRestore → Restore   ├→ PlanLand → Land → PlanPublish → Publish → PlanVerify → Verify
    reprocess, refetch └ → ────────────────────────┘                                                           │
                           ▲ PlanRegister                      SummarizeRun ◄ ListReleases ◄ CompactMonths ◄──┤
                           └──── WaitForSnapshot ◄──── a backfill whose snapshot Apple has not built ──────────┘

A Map without items is skipped. A Map with more items than one pass takes is planned and run again (DecideMore<Map>),
until `plan.after`, the place where the next pass begins, is empty. A failure of a step that no data depends on fails no
run (contract/maps.py:DISPENSABLE). Any other failure outside the children goes to SummarizeRun, which reports it. Only
ids and counts are passed from state to state: `{"run_id", "operation", "plan"}`, and `error` when there is one.

Register and Land have an item for each app and each instance. These go in batches to Express children, each of which
costs one transition regardless of its content, but lives for at most five minutes and does not report how it ended. An
inline Map in the child processes its items, two at a time. Items that end without a verdict are planned again, one by
one:

    PlanLand → Land (Express) → PlanLandLeft ┬─ nothing ────────────────────────────────────────────► PlanPublish
                 ▲                           ├─ Apple's hour is used up → WaitToLand ─┐                   ▲
                 └───────────────────────────┼────────────────────────────────────────┘                   │
                                             └─ something → LandPatiently (Standard: waits and retries) ──┘
"""

import json
from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from appstore_analytics.contract.errors import (
    NotReady,
    PermanentError,
    PipelineError,
    leaves,
)
from appstore_analytics.contract.layout import RUN_PARTITION
from appstore_analytics.contract.maps import (
    DISPENSABLE,
    FROM_THE_BEGINNING,
    ITEMS_OF_A_BATCH,
    MapName,
    Outcome,
    error_of,
)
from appstore_analytics.contract.operations import Operation
from appstore_analytics.contract.verdicts import Verdict
from infra.acknowledgements import acknowledge
from infra.configuration import DeploymentConfiguration
from infra.functions import state_name
from infra.lanes import Lanes
from infra.logs import log_group
from infra.retries import retry, retry_step
from infra.state_machine_role import state_machine_policy

EXPRESS_FIRST = frozenset({MapName.REGISTER, MapName.LAND})
"""Maps with many quick items. All others have a child per Date or table, which can take longer."""

_CALLS_OF_A_BATCH = 1_000  # of list_instances, one per table: at 0.3 s each, in two lanes, half of five minutes

_CALLS_RETURN_WITHIN = 13  # times five minutes: a little over the rolling hour of Apple's quota
_HAS_ITEMS = sfn.Condition.number_greater_than("$.plan.items", 0)
_TIME_OUT = Duration.hours(80)  # longer than the wait of a backfill for its snapshot


class PipelineStateMachine(Construct):
    """`state_machine`, with a role that permits exactly what the definition does."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        configuration: DeploymentConfiguration,
        functions: Mapping[str, lambda_.IFunction],
        registry: dynamodb.ITable,
        lake: s3.Bucket,
    ) -> None:
        super().__init__(scope, id_)
        self._configuration = configuration
        self._functions = functions
        self._registry = registry
        self._lake = lake
        self._logs = log_group(
            self, "Logs", f"/aws/vendedlogs/states/{configuration.names.name}", configuration.retention.logs
        )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        policy = state_machine_policy(self, configuration.names.name, role, functions, registry, lake)
        self.state_machine = sfn.StateMachine(
            self,
            "StateMachine",
            state_machine_name=configuration.names.name,
            definition_body=sfn.DefinitionBody.from_chainable(self._plan_run()),
            role=role.without_policy_updates(),
            timeout=_TIME_OUT,
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=self._logs, level=sfn.LogLevel.ERROR, include_execution_data=False),
        )
        # CDK adds a second policy for the Maps, created after the machine; ours has the same permissions, and more,
        # before it.
        self.state_machine.node.try_remove_child("DistributedMapPolicy")
        self.state_machine.node.add_dependency(policy)
        acknowledge(
            self.state_machine,
            "SF1",
            "The registry has every item's verdict; logging every event would only repeat it, for money.",
        )

    # The definition, from the end to the beginning, because a state must exist before another one leads to it.

    def _plan_run(self) -> sfn.IChainable:
        failure = self._fail_with_sentence()
        summary = self._summarize_run(failure)
        first = self._maps(summary)
        plan = self._invoke(
            "plan_run",
            payload=sfn.TaskInput.from_object(
                {
                    "execution_name": sfn.JsonPath.string_at("$$.Execution.Name"),
                    "started_at": sfn.JsonPath.string_at("$$.Execution.StartTime"),
                    "input": sfn.JsonPath.object_at("$"),
                    # Through JSON, because jsii accepts lists but not tuples.
                    "configuration": json.loads(json.dumps(self._configuration.for_plan_run.to_payload())),
                }
            ),
        )
        # Listing an account's apps takes a call or two: an hour in which none is left must not cost the day.
        plan.add_retry(
            errors=[*leaves(NotReady)], interval=Duration.minutes(5), backoff_rate=1, max_attempts=_CALLS_RETURN_WITHIN
        )
        plan.add_catch(failure, errors=[*leaves(PipelineError)])
        return plan.next(first)

    def _fail_with_sentence(self) -> sfn.State:
        """The execution's cause is the one sentence of the error, without the JSON that Lambda wraps it in.

        The error replaces the whole state, because an execution's input can be anything, even a list.
        """
        return (
            sfn.Pass(
                self,
                "ReadError",
                parameters={
                    "error": sfn.JsonPath.string_at("$.Error"),
                    "cause": sfn.JsonPath.string_to_json(sfn.JsonPath.string_at("$.Cause")),
                },
            )
            .next(sfn.Fail(self, "RunRefused", error_path="$.error", cause_path="$.cause.errorMessage"))
            .start_state
        )

    def _summarize_run(self, failure: sfn.State) -> sfn.State:
        # The whole state is the payload: a JSONPath cannot name an `error` that may be absent.
        summary = self._invoke("summarize_run")
        summary.add_catch(failure, errors=[*leaves(PipelineError)])
        summary.next(
            sfn.Choice(self, "DecideRun")
            .when(
                sfn.Condition.string_equals("$.status", "FAILED"),
                sfn.Fail(self, "RunFailed", error="RunFailed", cause_path="$.cause"),
            )
            .otherwise(sfn.Succeed(self, "RunSucceeded"))
        )
        return summary

    def _maps(self, summary: sfn.State) -> sfn.State:
        """The Maps in order and the wait after the last. Returns the state that decides where an operation begins."""
        wait = sfn.Wait(
            self,
            "WaitForSnapshot",
            time=sfn.WaitTime.duration(Duration.seconds(self._configuration.snapshot_poll_seconds)),
        )
        following: sfn.State = (
            sfn.Choice(self, "DecideSnapshot")
            .when(sfn.Condition.boolean_equals("$.plan.waiting", True), wait)
            .otherwise(self._dispensable(summary))
        )
        begins: dict[MapName, sfn.State] = {}
        for map_name in reversed(MapName):
            begins[map_name] = self._planned_map(map_name, summary, following)
            following = following if map_name.traits.only_begins else begins[map_name]
        wait.next(begins[MapName.REGISTER])
        decide = sfn.Choice(self, "DecideOperation")
        for operation in Operation:
            if operation.traits.first_map is not MapName.REGISTER:
                is_this = sfn.Condition.string_equals("$.operation", operation)
                decide.when(is_this, begins[operation.traits.first_map])
        return decide.otherwise(begins[MapName.REGISTER])

    def _dispensable(self, summary: sfn.State) -> sfn.State:
        """After all steps that the data needs, so that they take no calls away from it and delay only the report."""
        following = summary
        for step in reversed([step for step in DISPENSABLE if step in self._functions]):
            payload = sfn.TaskInput.from_object({"run_id": sfn.JsonPath.string_at("$.run_id")})
            task = self._invoke(step, payload=payload, result_path=sfn.JsonPath.DISCARD)
            task.add_catch(following, errors=["States.ALL"], result_path=f"$.{error_of(step)}")
            task.next(following)
            following = task
        return following

    def _planned_map(self, map_name: MapName, summary: sfn.State, following: sfn.State) -> sfn.State:
        """Plan<Map>, and the Map if the plan has items; then `following`."""
        word = map_name.capitalize()
        plan = self._plan_items(f"Plan{word}", map_name, summary)
        if map_name in EXPRESS_FIRST:
            each = self._express_first(map_name, plan, summary, following)
        else:
            each = self._map(word, map_name, plan, summary, following)
        plan.next(sfn.Choice(self, f"Decide{word}").when(_HAS_ITEMS, each).otherwise(following))
        return plan

    def _express_first(self, map_name: MapName, plan: sfn.State, summary: sfn.State, following: sfn.State) -> sfn.State:
        """The Map with Express children, repeated while items are left that only wait for the quota."""
        word = map_name.capitalize()
        plan_left = self._plan_items(f"Plan{word}Left", map_name, summary, left=True)
        patient = self._map(f"{word}Patiently", map_name, plan_left, summary, following)
        quick = self._map_of_batches(map_name, plan, summary, plan_left)
        wait = sfn.Wait(self, f"WaitTo{word}", time=sfn.WaitTime.timestamp_path("$.plan.available_at"))
        plan_left.next(
            sfn.Choice(self, f"Decide{word}Left")
            .when(sfn.Condition.is_present("$.plan.available_at"), wait.next(quick))
            .when(_HAS_ITEMS, patient)
            .otherwise(following)
        )
        return quick

    def _plan_items(self, name: str, map_name: MapName, summary: sfn.State, *, left: bool = False) -> sfn.TaskStateBase:
        payload = {
            "run_id": sfn.JsonPath.string_at("$.run_id"),
            "map": map_name,
            "after": sfn.JsonPath.string_at("$.plan.after"),
            **({"left": True} if left else {}),
        }
        plan = self._invoke("plan_items", name=name, payload=sfn.TaskInput.from_object(payload), result_path="$.plan")
        plan.add_catch(summary, errors=["States.ALL"], result_path="$.error")
        return plan

    def _map(
        self, name: str, map_name: MapName, plan: sfn.State, summary: sfn.State, following: sfn.State
    ) -> sfn.State:
        """A Standard child for each item."""
        at_once = self._configuration.max_concurrency.of(map_name)
        each = self._distributed(name, sfn.StateMachineType.STANDARD, at_once)
        return self._leads_on(each.item_processor(self._child(map_name, name)), plan, summary, following)

    def _map_of_batches(
        self, map_name: MapName, plan: sfn.State, summary: sfn.State, following: sfn.State
    ) -> sfn.State:
        """An Express child for each batch of items."""
        word = map_name.capitalize()
        lanes = Lanes.of_batches(self._configuration.max_concurrency.of(map_name))
        items = ITEMS_OF_A_BATCH
        if map_name is MapName.REGISTER:
            items = max(1, min(items, _CALLS_OF_A_BATCH // len(self._configuration.curated_tables)))
        each = self._distributed(word, sfn.StateMachineType.EXPRESS, lanes.children, items)
        return self._leads_on(each.item_processor(self._batch(map_name, lanes)), plan, summary, following)

    def _leads_on(
        self, each: sfn.DistributedMap, plan: sfn.State, summary: sfn.State, following: sfn.State
    ) -> sfn.State:
        """Goes back to the plan of the Map while there are items beyond this pass, then continues."""
        each.add_catch(summary, errors=["States.ALL"], result_path="$.error")
        is_last_pass = sfn.Condition.string_equals("$.plan.after", FROM_THE_BEGINNING)
        each.next(sfn.Choice(self, f"DecideMore{each.id}").when(is_last_pass, following).otherwise(plan))
        return each

    def _distributed(
        self, name: str, kind: sfn.StateMachineType, at_once: int, items_of_a_batch: int | None = None
    ) -> sfn.DistributedMap:
        return sfn.DistributedMap(
            self,
            name,
            item_reader=sfn.S3JsonItemReader(bucket=self._lake, key=sfn.JsonPath.string_at("$.plan.manifest_key")),
            item_batcher=sfn.ItemBatcher(max_items_per_batch=items_of_a_batch) if items_of_a_batch else None,
            map_execution_type=kind,
            max_concurrency=at_once,
            tolerated_failure_percentage=100,  # one app's failure does not stop the others; summarize_run counts it
            result_path=sfn.JsonPath.DISCARD,
        )

    def _child(self, map_name: MapName, name: str) -> sfn.State:
        """The steps of one item. It always ends in Done, with `{}`: its verdict is in the registry."""
        suffix = name.removeprefix(map_name.capitalize())
        done = self._done(name)
        failed = self._record_failure(name, done)
        following: sfn.State = done
        for step in reversed(map_name.traits.steps):
            following = self._step(step, f"{state_name(step)}{suffix}", following, done, failed)
        return following

    def _batch(self, map_name: MapName, lanes: Lanes) -> sfn.IChainable:
        """The items of one Express child. No item fails the child: each ends in its own Done, even if it fails."""
        word = map_name.capitalize()
        each = sfn.Map(
            self,
            f"{word}Items",
            items_path="$.Items",
            max_concurrency=lanes.in_a_child,
            result_path=sfn.JsonPath.DISCARD,
        )
        each.item_processor(self._item_of_a_batch(map_name))
        return each.next(self._done(word))

    def _item_of_a_batch(self, map_name: MapName) -> sfn.State:
        """The same steps without waiting: an item that must wait, or has a transient error, ends without a verdict."""
        word = map_name.capitalize()
        done = self._done(f"{word}Item")
        failed = self._record_failure(word, done)
        following: sfn.State = done
        for step in reversed(map_name.traits.steps):
            task = self._invoke(step, result_path="$.step", express=True)
            task.add_catch(failed, errors=[*leaves(PermanentError)], result_path="$.error")
            task.add_catch(done, errors=["States.ALL"], result_path=sfn.JsonPath.DISCARD)
            if following is done:
                task.next(done)
            else:
                is_next = sfn.Condition.string_equals("$.step.outcome", Outcome.NEXT)
                task.next(sfn.Choice(self, f"Decide{task.id}").when(is_next, following).otherwise(done))
            following = task
        return following

    def _done(self, name: str) -> sfn.State:
        return sfn.Pass(self, f"{name}Done", result=sfn.Result.from_object({}))

    def _step(self, step: str, name: str, following: sfn.State, done: sfn.State, failed: sfn.State) -> sfn.State:
        task = self._invoke(step, name=name, result_path="$.step")
        task.add_catch(failed, errors=["States.ALL"], result_path="$.error")
        wait = sfn.Wait(self, f"WaitTo{name}", time=sfn.WaitTime.timestamp_path("$.step.available_at"))
        decide = (
            sfn.Choice(self, f"Decide{name}")
            .when(sfn.Condition.string_equals("$.step.outcome", Outcome.WAIT), wait.next(task))
            .when(sfn.Condition.string_equals("$.step.outcome", Outcome.DONE), done)
        )
        if following is not done:
            decide.when(sfn.Condition.string_equals("$.step.outcome", Outcome.NEXT), following)
        task.next(decide)
        return task

    def _record_failure(self, word: str, done: sfn.State) -> sfn.State:
        partition = sfn.JsonPath.format(RUN_PARTITION, sfn.JsonPath.string_at("$.run_id"))
        record = tasks.DynamoUpdateItem(
            self,
            f"Record{word}Failure",
            table=self._registry,
            key={
                "pk": tasks.DynamoAttributeValue.from_string(partition),
                "sk": tasks.DynamoAttributeValue.from_string(sfn.JsonPath.string_at("$.record")),
            },
            update_expression="SET verdict = :verdict, #error = :error, reason = :reason",
            expression_attribute_names={"#error": "error"},  # `error` is a reserved word
            expression_attribute_values={
                ":verdict": tasks.DynamoAttributeValue.from_string(Verdict.FAILED),
                ":error": tasks.DynamoAttributeValue.from_string(sfn.JsonPath.string_at("$.error.Error")),
                ":reason": tasks.DynamoAttributeValue.from_string(sfn.JsonPath.string_at("$.error.Cause")),
            },
            result_path=sfn.JsonPath.DISCARD,
        )
        retry(record, ["States.ALL"])
        # Without its record the item counts as failed too.
        record.add_catch(done, errors=["States.ALL"], result_path=sfn.JsonPath.DISCARD)
        record.next(done)
        return record

    def _invoke(
        self,
        step: str,
        *,
        name: str | None = None,
        payload: sfn.TaskInput | None = None,
        result_path: str | None = None,
        express: bool = False,
    ) -> tasks.LambdaInvoke:
        """A Task whose result is what the handler returned; without a payload its event is the whole state."""
        task = tasks.LambdaInvoke(
            self,
            name or state_name(step),
            lambda_function=self._functions[step],
            payload=payload,
            payload_response_only=True,
            result_path=result_path,
            retry_on_service_exceptions=False,
        )
        retry_step(task, express=express)
        return task
