"""Answers of the console beyond the pipeline's facts: people and their grants, views, annotations, the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from appstore_analytics.answers.facts import counted
from appstore_analytics.answers.run_plans import PlannedRun


class Good:
    """An answer that only shows or confirms something."""

    __slots__ = ()

    @property
    def is_good(self) -> bool:
        """Always."""
        return True


@dataclass(frozen=True, slots=True)
class Me(Good):
    """The signed-in person. `app_ids` are the granted apps, None for all apps; `actions` are the rights by name."""

    user_id: str
    role: str
    is_limited: bool
    app_ids: tuple[str, ...] | None
    actions: tuple[str, ...]
    workgroup: str
    region: str

    @property
    def sentence(self) -> str:
        """The role and the visible apps."""
        apps = "all apps" if self.app_ids is None else counted(len(self.app_ids), "app")
        return f"You are {self.role} and see {apps}."


@dataclass(frozen=True, slots=True)
class PlanOffer(Good):
    """A plan that `POST /runs` starts once, until `expires_at`, for the person who made it."""

    plan_id: str
    expires_at: datetime
    plan: PlannedRun

    @property
    def sentence(self) -> str:
        """Calls, rows, Dates and dollars."""
        return self.plan.sentence


@dataclass(frozen=True, slots=True)
class StartedRun(Good):
    """The run of a plan. A second confirmation of the same plan returns the same run, with `is_new` false."""

    run_id: str
    operation: str
    started_at: datetime
    is_new: bool

    @property
    def sentence(self) -> str:
        """The run, and whether this confirmation started it."""
        return f"The run {self.run_id} {'has started' if self.is_new else 'was started by this plan before'}."


@dataclass(frozen=True, slots=True)
class Person(Good):
    """A user of the console. `app_ids` are the granted apps of a limited person, None for everyone else.

    `state` is invited (the temporary password has not been changed), active or disabled; `last_action_at` is the time
    of the newest audit entry, None without any.
    """

    user_id: str
    email: str
    role: str
    is_limited: bool
    app_ids: tuple[str, ...] | None
    has_second_factor: bool
    state: str
    invited_at: datetime | None
    last_action_at: datetime | None

    @property
    def sentence(self) -> str:
        """Role and state."""
        return f"{self.email} is {self.role}, {self.state}."


@dataclass(frozen=True, slots=True)
class People(Good):
    """All users, by address."""

    people: tuple[Person, ...]
    next: str = ""
    previous: str = ""

    @property
    def sentence(self) -> str:
        """The number of people in each role."""
        roles = {role: sum(one.role == role for one in self.people) for role in ("admin", "operator", "viewer")}
        parts = ", ".join(counted(count, role) for role, count in roles.items() if count)
        return f"{counted(len(self.people), 'person', 'people')}: {parts or 'none with a role'}."


@dataclass(frozen=True, slots=True)
class Grant(Good):
    """One app that a limited person can see."""

    grant_id: str
    user_id: str
    app_id: str
    granted_by: str
    granted_at: datetime

    @property
    def sentence(self) -> str:
        """The person and the app."""
        return f"{self.user_id} can see app {self.app_id}."


@dataclass(frozen=True, slots=True)
class Grants(Good):
    """Grants, by person and app."""

    grants: tuple[Grant, ...]

    @property
    def sentence(self) -> str:
        """The number of grants and of people."""
        people = counted(len({grant.user_id for grant in self.grants}), "person", "people")
        return f"{counted(len(self.grants), 'grant')} of {people}."


@dataclass(frozen=True, slots=True)
class View(Good):
    """A page with its filters, saved under a name by one person. `state` is the page's own, as in its URL."""

    view_id: str
    name: str
    page: str
    state: str
    created_at: datetime
    changed_at: datetime

    @property
    def sentence(self) -> str:
        """Its name."""
        return f"The view {self.name}."


@dataclass(frozen=True, slots=True)
class Views(Good):
    """The views of the signed-in person, by name."""

    views: tuple[View, ...]

    @property
    def sentence(self) -> str:
        """The number of views."""
        return f"{counted(len(self.views), 'view')}."


@dataclass(frozen=True, slots=True)
class Annotation(Good):
    """A note about a day, shown beside the numbers: of one app, or of all if `app_id` is None."""

    annotation_id: str
    app_id: str | None
    day: date
    kind: str
    text: str
    written_by: str
    created_at: datetime
    changed_at: datetime

    @property
    def sentence(self) -> str:
        """Day and text."""
        return f"{self.day.isoformat()}: {self.text}"


@dataclass(frozen=True, slots=True)
class Annotations(Good):
    """Annotations, oldest day first."""

    annotations: tuple[Annotation, ...]

    @property
    def sentence(self) -> str:
        """The number of annotations."""
        return f"{counted(len(self.annotations), 'annotation')}."


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action or refusal. `outcome` is done, refused, failed, or attempted if the outcome is unknown."""

    entry_id: str
    at: datetime
    user_id: str
    who: str
    action: str
    target: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class AuditLog(Good):
    """A page of the audit log, newest first."""

    entries: tuple[AuditEntry, ...]
    next: str = ""

    @property
    def sentence(self) -> str:
        """The number of entries, and of refusals."""
        refused = sum(entry.outcome == "refused" for entry in self.entries)
        return f"{counted(len(self.entries), 'entry', 'entries')}, {refused} refused."


@dataclass(frozen=True, slots=True)
class Subscription(Good):
    """The weekly digest for one person by e-mail, or for a Slack channel with an explicit list of apps.

    `app_ids` restrict it; None means all apps that the person can see, and is not possible for Slack.
    """

    subscription_id: str
    channel: str
    user_id: str
    app_ids: tuple[str, ...] | None
    created_at: datetime
    last_sent_week: str

    @property
    def sentence(self) -> str:
        """Its channel."""
        return f"A weekly digest by {self.channel}."


@dataclass(frozen=True, slots=True)
class Subscriptions(Good):
    """The person's own subscription; for admins all subscriptions."""

    subscriptions: tuple[Subscription, ...]

    @property
    def sentence(self) -> str:
        """The number of subscriptions."""
        return f"{counted(len(self.subscriptions), 'subscription')}."


@dataclass(frozen=True, slots=True)
class LiveTicket(Good):
    """Opens one connection to `url`, sent as its WebSocket subprotocol, until `expires_at`."""

    ticket: str
    url: str
    expires_at: datetime

    @property
    def sentence(self) -> str:
        """The purpose of the ticket."""
        return "A ticket for one live connection."


@dataclass(frozen=True, slots=True)
class OpenApiDocument:
    """The API's own description."""

    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """An error (RFC 9457). `detail` is one sentence for a person; `field` names the invalid part of the request."""

    type: str
    title: str
    status: int
    detail: str
    field: str = ""
