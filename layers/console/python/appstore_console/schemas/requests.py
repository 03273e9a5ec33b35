"""The API's input: the parameters of questions, and the bodies of actions.

A parameter is a pydantic field of a model of `Parameters`; the route table turns each into its own query parameter.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from appstore_analytics.contract.operations import Operation
from appstore_analytics.rules.kpi_periods import Compare, Step
from appstore_console.rights import Role

_STRICT = ConfigDict(extra="forbid", frozen=True)

MOST_ROWS = 200
MOST_APPS = 1_000


class Parameters(BaseModel):
    """The query parameters of one route."""

    model_config = _STRICT


class Body(BaseModel):
    """The JSON body of one route."""

    model_config = _STRICT


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must consist of printable characters")
    return text


AppId = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,17}$")]
"""Apple's id of an app."""
Words = Annotated[str, AfterValidator(_printable)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,79}$")]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="The number of rows per page.")]
Cursor = Annotated[
    str, Query(pattern=r"^[A-Za-z0-9_-]*$", max_length=200, description="`next` or `previous` of another page.")
]
Search = Annotated[Words, Query(max_length=100, description="Only those whose name or id contains this text.")]


class Order(StrEnum):
    """The sort direction."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class HealthParameters(Parameters):
    """All apps, or one."""

    app: Annotated[AppId | None, Query(description="Only this app.")] = None


class AppsParameters(Parameters):
    """A page of the table of apps."""

    q: Search = ""
    verdict: Annotated[str, Query(max_length=20, description="A verdict, or `action` for apps with problems.")] = ""
    sort: Annotated[
        str,
        Query(
            pattern="^[a-z_]{0,60}$",
            description="verdict, name, complete_until, or one of `metrics`; without it the first of `metrics`.",
        ),
    ] = ""
    order: Annotated[Order, Query(description="asc or desc.")] = Order.DESCENDING
    metrics: Annotated[
        tuple[str, ...], Query(max_length=10, description="KPIs, by name; the first is also the small chart.")
    ] = ("total_downloads", "impressions", "conversion_per_impression", "proceeds", "crashes_per_1000_sessions")
    days: Annotated[int, Query(ge=1, le=90, description="The number of final Dates that the numbers cover.")] = 28
    limit: Limit = 50
    cursor: Cursor = ""


class DatesParameters(Parameters):
    """The number of Dates, up to yesterday."""

    days: Annotated[int, Query(ge=1, le=60, description="The number of Dates, up to yesterday.")] = 30


class TablesParameters(DatesParameters):
    """Tables × Dates."""

    app: Annotated[AppId | None, Query(description="Only this app.")] = None
    main: Annotated[bool, Query(description="Only the main tables.")] = False


class KpiParameters(Parameters):
    """A question about KPIs."""

    metrics: Annotated[tuple[str, ...], Query(min_length=1, max_length=20, description="KPIs, by name.")]
    by: Annotated[
        str, Query(pattern="^[a-z_]{0,40}$", description="app, or a dimension that all of these KPIs have.")
    ] = ""
    where: Annotated[
        Words,
        Query(
            max_length=200,
            description="One value of one dimension, such as `territory:US`; `by` must be empty or the same dimension.",
        ),
    ] = ""
    apps: Annotated[tuple[AppId, ...], Query(max_length=MOST_APPS, description="Only these apps.")] = ()
    days: Annotated[
        int | None,
        Query(
            ge=1,
            le=400,
            description="The number of final Dates of each KPI, the newest ones; the Dates after them, which still "
            "grow, are added. Replaces `from` and `to`.",
        ),
    ] = None
    start: Annotated[date | None, Query(alias="from", description="The first Date; default: 28 before `to`.")] = None
    end: Annotated[date | None, Query(alias="to", description="The last Date; default: yesterday.")] = None
    compare: Annotated[
        Compare | None, Query(description="Compare with the same number of Dates before, or with 52 weeks ago.")
    ] = None
    granularity: Annotated[Step, Query(description="A point for each day, week (from Monday) or month.")] = Step.DAY
    limit: Annotated[
        int | None, Query(ge=1, le=100, description="Only the largest values of `by`; the others are added up.")
    ] = None


class RestatementsParameters(Parameters):
    """The selection of Dates and apps."""

    apps: Annotated[tuple[AppId, ...], Query(max_length=MOST_APPS, description="Only these apps.")] = ()
    start: Annotated[date | None, Query(alias="from", description="The first Date; default: 28 before `to`.")] = None
    end: Annotated[date | None, Query(alias="to", description="The last Date; default: yesterday.")] = None


class ReleasesParameters(Parameters):
    """Which releases."""

    start: Annotated[date | None, Query(alias="from", description="Leave out earlier ones.")] = None


class RunsParameters(Parameters):
    """A page of runs."""

    q: Search = ""
    operation: Annotated[Operation | None, Query(description="Only this operation.")] = None
    status: Annotated[Literal["", "running", "succeeded", "failed"], Query(description="Only with this status.")] = ""
    limit: Limit = 50
    cursor: Cursor = ""


class RunItemsParameters(Parameters):
    """A page of the apps of a run."""

    q: Search = ""
    only: Annotated[Literal["", "exceptions"], Query(description="Only apps that ended worse than most.")] = ""
    limit: Limit = 50
    cursor: Cursor = ""


class GrantsParameters(Parameters):
    """All people, or one person."""

    user_id: Annotated[str, Query(max_length=80, pattern="^[A-Za-z0-9-]*$", description="Only this person.")] = ""


class AnnotationsParameters(Parameters):
    """The selection of annotations."""

    apps: Annotated[
        tuple[AppId, ...],
        Query(max_length=MOST_APPS, description="Annotations about these apps, and those about all apps."),
    ] = ()
    start: Annotated[date | None, Query(alias="from", description="The first day.")] = None
    end: Annotated[date | None, Query(alias="to", description="The last day.")] = None


class AuditParameters(Parameters):
    """A page of the audit log."""

    user_id: Annotated[str, Query(max_length=80, pattern="^[A-Za-z0-9-]*$", description="Only this person.")] = ""
    outcome: Annotated[
        Literal["", "done", "refused", "failed", "attempted"], Query(description="Only entries with this outcome.")
    ] = ""
    limit: Limit = 50
    cursor: Cursor = ""


class PlanArguments(Body):
    """The fields of an execution's input; `docs/operations.md` says which of them each operation takes."""

    app_ids: list[AppId] | None = Field(default=None, min_length=1, max_length=MOST_APPS)
    reports: list[str] | None = Field(default=None, min_length=1, max_length=200)
    start_date: date | None = None
    end_date: date | None = None
    start_processing_date: date | None = None
    end_processing_date: date | None = None
    run_id: str | None = Field(default=None, max_length=80)


class PlanBody(Body):
    """The run to plan."""

    operation: Operation
    arguments: PlanArguments = PlanArguments()


class RunBody(Body):
    """The plan to start."""

    plan_id: Identifier


class InviteBody(Body):
    """A person to invite. `app_ids` limit the apps that they see; null means all apps, including future ones."""

    email: str = Field(max_length=254, pattern=r"^[!-?A-~]{1,64}@[A-Za-z0-9.-]{1,189}$")
    role: Role
    app_ids: list[AppId] | None = Field(default=None, max_length=MOST_APPS)


class PersonBody(Body):
    """The changes of a person; absent fields stay as they are. `app_ids` null lifts the limit."""

    role: Role | None = None
    is_enabled: bool | None = None
    app_ids: list[AppId] | None = Field(default=None, max_length=MOST_APPS)


class GrantBody(Body):
    """Additional apps for a limited person."""

    user_id: Identifier
    app_ids: list[AppId] = Field(min_length=1, max_length=MOST_APPS)


ViewName = Annotated[Words, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]


class ViewBody(Body):
    """A view to save."""

    name: ViewName
    page: Literal["apps", "app", "runs", "run"]
    state: Annotated[Words, StringConstraints(max_length=2_000)]


class ViewPatch(Body):
    """The changes of a view; absent fields stay as they are."""

    name: ViewName | None = None
    state: Annotated[Words, StringConstraints(max_length=2_000)] | None = None


AnnotationKind = Literal["release", "campaign", "note"]
AnnotationText = Annotated[Words, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class AnnotationBody(Body):
    """A note about a day; about all apps if `app_id` is null."""

    app_id: AppId | None = None
    day: date
    kind: AnnotationKind = "note"
    text: AnnotationText


class AnnotationPatch(Body):
    """The changes of an annotation; absent fields stay as they are."""

    day: date | None = None
    kind: AnnotationKind | None = None
    text: AnnotationText | None = None


class SubscriptionBody(Body):
    """A weekly digest: to your e-mail address, or to the installation's Slack channel with a list of apps."""

    channel: Literal["email", "slack"] = "email"
    app_ids: list[AppId] | None = Field(default=None, min_length=1, max_length=MOST_APPS)
