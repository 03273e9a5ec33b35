"""What belongs to whoever asks: who they are, their views, their digest, a live ticket; and annotations."""

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
from appstore_console.rights import Right
from appstore_console.schemas.requests import (
    AnnotationBody,
    AnnotationPatch,
    AnnotationsParameters,
    SubscriptionBody,
    ViewBody,
    ViewPatch,
)

endpoints = Endpoints("Own")
actions = Endpoints("Own")


@endpoints.get("/me", Right.READ)
def me(asked: Asked) -> Me:
    """Who asks: role, granted apps, and what may be done"""
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
    """A ticket for one live connection, good for half a minute"""
    raise NotImplementedError


@endpoints.get("/views", Right.KEEP_VIEWS)
def views(asked: Asked) -> Views:
    """One's own views, by name"""
    raise NotImplementedError


@actions.post("/views", Right.KEEP_VIEWS)
def keep_view(asked: Asked, body: ViewBody) -> View:
    """Keep a page with its choices under a name; 409 where one's own view has it already"""
    raise NotImplementedError


@actions.patch("/views/<view_id>", Right.KEEP_VIEWS)
def change_view(asked: Asked, view_id: str, body: ViewPatch) -> View:
    """Change one of one's own views"""
    raise NotImplementedError


@actions.delete("/views/<view_id>", Right.KEEP_VIEWS)
def delete_view(asked: Asked, view_id: str) -> None:
    """Delete one of one's own views"""
    raise NotImplementedError


@endpoints.get("/annotations", Right.READ)
def annotations(asked: Asked, parameters: AnnotationsParameters) -> Annotations:
    """What happened on which day, of the apps that one may see and of all"""
    raise NotImplementedError


@actions.post("/annotations", Right.ANNOTATE)
def annotate(asked: Asked, body: AnnotationBody) -> Annotation:
    """Note that something happened on a day; of all apps only by whoever sees all"""
    raise NotImplementedError


@actions.patch("/annotations/<annotation_id>", Right.ANNOTATE)
def change_annotation(asked: Asked, annotation_id: str, body: AnnotationPatch) -> Annotation:
    """Change an annotation"""
    raise NotImplementedError


@actions.delete("/annotations/<annotation_id>", Right.ANNOTATE)
def delete_annotation(asked: Asked, annotation_id: str) -> None:
    """Delete an annotation"""
    raise NotImplementedError


@endpoints.get("/subscriptions", Right.SUBSCRIBE)
def subscriptions(asked: Asked) -> Subscriptions:
    """One's own weekly digest, and for admins everybody's"""
    raise NotImplementedError


@actions.post("/subscriptions", Right.SUBSCRIBE)
def subscribe(asked: Asked, body: SubscriptionBody) -> Subscription:
    """Subscribe to the weekly digest; a second time changes which apps it is about

    To a Slack channel only an admin can, and names the apps.
    """
    raise NotImplementedError


@actions.delete("/subscriptions/<subscription_id>", Right.SUBSCRIBE)
def unsubscribe(asked: Asked, subscription_id: str) -> None:
    """End a subscription"""
    raise NotImplementedError
