"""The releases of every app, one item each in one partition, so that a run reads all of them with a few requests."""

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import Key

from appstore_analytics.model.releases import AppReleases, Platform, Release
from appstore_analytics.registry.keys import RELEASES_PARTITION, app_of_releases_key, releases_key
from appstore_analytics.registry.queries import query_items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table


class Releases:
    """The known versions of the apps. Normally one run writes at a time; if two do, the later write stays."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def every_app(self) -> Iterator[AppReleases]:
        """The apps that Apple was asked about, by id."""
        yield from map(_app, query_items(self._table, Key("pk").eq(RELEASES_PARTITION)))

    def write(self, app: AppReleases) -> None:
        """Store what is known about an app. A second call changes nothing."""
        self._table.put_item(
            Item={
                **releases_key(app.app_id),
                "asked_on": _text(app.asked_on),
                "looked_on": _text(app.looked_on),
                "releases": [_item(release) for release in app.releases],
            }
        )


def _item(release: Release) -> dict[str, Any]:
    """Empty fields are left out, because an app can have hundreds of versions."""
    facts = {
        "id": release.version_id,
        "platform": str(release.platform),
        "version": release.version,
        "seen_on": release.seen_on.isoformat(),
        "changed_in_run": release.changed_in_run,
        "released_on": _text(release.released_on),
        "is_inferred": release.is_inferred,
        "not_before": _text(release.not_before),
        "sessions_asked_on": _text(release.sessions_asked_on),
    }
    return {name: value for name, value in facts.items() if value}


def _app(item: dict[str, Any]) -> AppReleases:
    return AppReleases(
        app_of_releases_key(item),
        _date(item.get("asked_on")),
        _date(item.get("looked_on")),
        tuple(map(_release, item.get("releases", ()))),
    )


def _release(facts: dict[str, Any]) -> Release:
    return Release(
        facts["id"],
        Platform(facts["platform"]),
        facts["version"],
        seen_on=date.fromisoformat(facts["seen_on"]),
        changed_in_run=facts["changed_in_run"],
        released_on=_date(facts.get("released_on")),
        is_inferred=facts.get("is_inferred", False),
        not_before=_date(facts.get("not_before")),
        sessions_asked_on=_date(facts.get("sessions_asked_on")),
    )


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
