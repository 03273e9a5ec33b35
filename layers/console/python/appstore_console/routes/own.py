"""The signed-in person's own data: their rights, views, digest and live ticket; and annotations."""

from http import HTTPStatus

from appstore_console import tickets
from appstore_console.database.annotations import Words
from appstore_console.database.subscriptions import CHANNEL_ITSELF
from appstore_console.facts import (
    Annotation,
    Annotations,
    LiveTicket,
    Me,
    Subscription,
    Subscriptions,
    View,
    Views,
)
from appstore_console.http.asked import Asked
from appstore_console.http.endpoints import Endpoints
from appstore_console.http.problems import Problem, conflict, invalid, not_there
from appstore_console.rights import Right
from appstore_console.schemas.requests import (
    AnnotationBody,
    AnnotationPatch,
    AnnotationsParameters,
    SubscriptionBody,
    ViewBody,
    ViewPatch,
)
from appstore_console.tickets import Holder

endpoints = Endpoints("Own")
actions = Endpoints("Own")

_ANNOTATION = "such annotation"
_OF_ALL = "Only people who see all apps can write annotations about all apps"


@endpoints.get("/me", Right.READ)
def me(asked: Asked) -> Me:
    """The signed-in person: role, granted apps, and rights"""
    here = asked.console.installation
    return Me(
        user_id=asked.person.user_id,
        role=asked.person.role or "",
        is_limited=asked.person.is_limited,
        app_ids=None if asked.app_ids is None else asked.seen,
        actions=tuple(map(str, asked.person.rights)),
        workgroup=here.workgroup,
        region=here.region,
    )


@actions.post("/live-tickets", Right.READ)
def live_ticket(asked: Asked) -> LiveTicket:
    """A ticket for one live connection, valid for 30 seconds"""
    desk = asked.desk
    app_ids = None if asked.app_ids is None else tuple(sorted(asked.app_ids))
    ticket = tickets.issue(desk.table, asked.console.clock, Holder(asked.person.user_id, app_ids))
    return LiveTicket(ticket, desk.live_url, asked.now + tickets.LIFETIME)


@endpoints.get("/views", Right.KEEP_VIEWS)
def views(asked: Asked) -> Views:
    """Your views, by name"""
    return Views(asked.data.views.of(asked.person.user_id))


@actions.post("/views", Right.KEEP_VIEWS)
def keep_view(asked: Asked, body: ViewBody) -> View:
    """Save a page with its filters as a view; 409 if you have a view with this name"""
    return asked.data.views.add(asked.person.user_id, body.name, body.page, body.state)


@actions.patch("/views/<view_id>", Right.KEEP_VIEWS)
def change_view(asked: Asked, view_id: str, body: ViewPatch) -> View:
    """Change one of your views"""
    changed = asked.data.views.change(asked.person.user_id, view_id, body.name, body.state)
    if changed is None:
        raise not_there("such view")
    return changed


@actions.delete("/views/<view_id>", Right.KEEP_VIEWS)
def delete_view(asked: Asked, view_id: str) -> None:
    """Delete one of your views"""
    if not asked.data.views.remove(asked.person.user_id, view_id):
        raise not_there("such view")


@endpoints.get("/annotations", Right.READ)
def annotations(asked: Asked, parameters: AnnotationsParameters) -> Annotations:
    """Annotations of days: about the apps that you can see, and about all apps"""
    if parameters.start and parameters.end and parameters.start > parameters.end:
        raise invalid("from must not be after to.", "from")
    asked.refuse_unseen(*parameters.apps)
    wanted = parameters.apps or asked.app_ids
    return Annotations(asked.data.annotations.between(parameters.start, parameters.end, wanted))


@actions.post("/annotations", Right.ANNOTATE)
def annotate(asked: Asked, body: AnnotationBody) -> Annotation:
    """Write an annotation of a day; only people who see all apps can write one about all apps"""
    if body.app_id is not None:
        asked.refuse_unseen(body.app_id)
    elif asked.app_ids is not None:
        raise Problem(HTTPStatus.FORBIDDEN, f"{_OF_ALL}: name the app.", "app_id")
    return asked.data.annotations.add(body.app_id, Words(body.day, body.kind, body.text), asked.person.email)


@actions.patch("/annotations/<annotation_id>", Right.ANNOTATE)
def change_annotation(asked: Asked, annotation_id: str, body: AnnotationPatch) -> Annotation:
    """Change an annotation"""
    _refuse_annotation(asked, annotation_id)
    changed = asked.data.annotations.change(annotation_id, Words(body.day, body.kind, body.text))
    if changed is None:
        raise not_there(_ANNOTATION)
    return changed


@actions.delete("/annotations/<annotation_id>", Right.ANNOTATE)
def delete_annotation(asked: Asked, annotation_id: str) -> None:
    """Delete an annotation"""
    _refuse_annotation(asked, annotation_id)
    asked.data.annotations.remove(annotation_id)


@endpoints.get("/subscriptions", Right.SUBSCRIBE)
def subscriptions(asked: Asked) -> Subscriptions:
    """Your weekly digest; for admins all digests"""
    stored = asked.data.subscriptions
    sees_all = asked.person.may(Right.MANAGE_PEOPLE)
    return Subscriptions(stored.every() if sees_all else stored.of(asked.person.user_id))


@actions.post("/subscriptions", Right.SUBSCRIBE)
def subscribe(asked: Asked, body: SubscriptionBody) -> Subscription:
    """Subscribe to the weekly digest; a second request changes its apps

    Only an admin can subscribe a Slack channel, and must list the apps.
    """
    if not asked.desk.has_digests:
        raise conflict("Digests are off: set console_digests in cdk.json and deploy.")
    asked.refuse_unseen(*body.app_ids or ())
    if body.channel == "email":
        return asked.data.subscriptions.subscribe(asked.person.user_id, body.channel, body.app_ids)
    if not asked.person.may(Right.MANAGE_PEOPLE):
        raise Problem(HTTPStatus.FORBIDDEN, "Only an admin can set up the Slack channel's digest.", "channel")
    if body.app_ids is None:
        raise invalid("app_ids is missing: list the apps that everyone in the Slack channel can know of.", "app_ids")
    return asked.data.subscriptions.subscribe(CHANNEL_ITSELF, body.channel, body.app_ids)


@actions.delete("/subscriptions/<subscription_id>", Right.SUBSCRIBE)
def unsubscribe(asked: Asked, subscription_id: str) -> None:
    """End a subscription"""
    ends_any = asked.person.may(Right.MANAGE_PEOPLE)
    if not asked.data.subscriptions.remove(subscription_id, None if ends_any else asked.person.user_id):
        raise not_there("such subscription")


def _refuse_annotation(asked: Asked, annotation_id: str) -> None:
    """Problem if the annotation does not exist, or is about apps that the person cannot see."""
    found = asked.data.annotations.one(annotation_id)
    if found is None or (found.app_id is not None and asked.app_ids is not None and found.app_id not in asked.app_ids):
        raise not_there(_ANNOTATION)
    if found.app_id is None and asked.app_ids is not None:
        raise Problem(HTTPStatus.FORBIDDEN, f"{_OF_ALL}, and this is about all apps.")
