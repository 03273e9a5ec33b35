"""Apps, their versions, and the people of the account."""

from collections.abc import Callable

from local.apple.http import Answer, Call, Json
from local.apple.model import App, User, Version
from local.apple.parameters import APP_INCLUDES
from local.apple.values import users, versions_of
from local.apple.visits import REQUESTS, Visit, number, one, page, permitted_app, resource

_VERSIONS = "appStoreVersions"
_LINKED = tuple(name for name in APP_INCLUDES if name != "appStoreIcon")
"""The relationships of an app that have links."""

_SORTED_BY: dict[str, Callable[[App], str]] = {
    "name": lambda app: app.name,
    "bundleId": lambda app: app.bundle_id,
    "sku": lambda app: app.sku,
}


# Apps


def list_apps(visit: Visit) -> Answer:
    """GET /v1/apps."""
    apps = [app for app in visit.world.apps.values() if _is_wanted(app, visit.call)]
    apps = _sorted(apps, visit.call.values("sort"))
    return page(visit, [_app(visit.call, app) for app in apps], _included(visit.call, apps))


def get_app(visit: Visit) -> Answer:
    """GET /v1/apps/{id}."""
    app = permitted_app(visit, visit.id)
    return one(visit, _app(visit.call, app), _included(visit.call, [app]))


def _is_wanted(app: App, call: Call) -> bool:
    own = {"id": app.id, "name": app.name, "bundleId": app.bundle_id, "sku": app.sku}
    if any(_filtered_out(call, f"filter[{name}]", (value,)) for name, value in own.items()):
        return False
    of_versions = {
        "filter[appStoreVersions]": [version.id for version in versions_of(app)],
        "filter[appStoreVersions.platform]": ["IOS"],
        "filter[appStoreVersions.appStoreState]": [version.store_state for version in versions_of(app)],
        "filter[appStoreVersions.appVersionState]": [version.state for version in versions_of(app)],
        "filter[reviewSubmissions.state]": [],
        "filter[reviewSubmissions.platform]": [],
        "exists[gameCenterEnabledVersions]": ["false"],
    }
    return not any(_filtered_out(call, name, values) for name, values in of_versions.items())


def _filtered_out(call: Call, name: str, values: tuple[str, ...] | list[str]) -> bool:
    wanted = call.values(name)
    return bool(wanted) and not set(wanted) & set(values)


def _sorted(apps: list[App], keys: list[str]) -> list[App]:
    """Sorted by the first key, then by the next; without a key, by id."""
    apps = sorted(apps, key=lambda app: app.id)
    for key in reversed(keys):
        apps = sorted(apps, key=_SORTED_BY[key.removeprefix("-")], reverse=key.startswith("-"))
    return apps


def _app(call: Call, app: App) -> Json:
    attributes = {"name": app.name, "bundleId": app.bundle_id, "sku": app.sku, "primaryLocale": "en-US"}
    found = resource(call, "apps", app.id, attributes, REQUESTS, *_LINKED)
    if _VERSIONS in call.values("include") and _VERSIONS in found["relationships"]:
        found["relationships"][_VERSIONS]["data"] = [{"type": _VERSIONS, "id": each.id} for each in _first(call, app)]
    return found


def _included(call: Call, apps: list[App]) -> Json:
    """The versions next to `data`; other relationships of an app are not simulated."""
    if not call.values("include"):
        return {}
    if _VERSIONS not in call.values("include"):
        return {"included": []}
    return {"included": [_version(call, version) for app in apps for version in _first(call, app)]}


def _first(call: Call, app: App) -> tuple[Version, ...]:
    return versions_of(app)[: number(call, f"limit[{_VERSIONS}]", 50)]


# Versions


def list_versions(visit: Visit) -> Answer:
    """GET /v1/apps/{id}/appStoreVersions."""
    app = permitted_app(visit, visit.id)
    found = [version for version in versions_of(app) if _is_wanted_version(version, visit.call)]
    more = {"included": _apps_of_versions(visit, app)} if visit.call.values("include") else {}
    return page(visit, [_version(visit.call, version) for version in found], more)


def _is_wanted_version(version: Version, call: Call) -> bool:
    values = {
        "filter[id]": version.id,
        "filter[platform]": "IOS",
        "filter[versionString]": version.number,
        "filter[appStoreState]": version.store_state,
        "filter[appVersionState]": version.state,
    }
    return not any(_filtered_out(call, name, (value,)) for name, value in values.items())


def _apps_of_versions(visit: Visit, app: App) -> list[Json]:
    return [_app(visit.call, app)] if "app" in visit.call.values("include") else []


def _version(call: Call, version: Version) -> Json:
    attributes = {
        "platform": "IOS",
        "versionString": version.number,
        "appStoreState": version.store_state,
        "appVersionState": version.state,
        "copyright": "2026 Example",
        "reviewType": "APP_STORE",
        "releaseType": "AFTER_APPROVAL",
        "downloadable": True,
        "createdDate": f"{version.created_on}T09:00:00-07:00",
    }
    return resource(call, _VERSIONS, version.id, attributes, "appStoreVersionLocalizations", "build")


# People


def list_users(visit: Visit) -> Answer:
    """GET /v1/users."""
    found = [user for user in users() if _is_wanted_user(user, visit.call)]
    for key in reversed(visit.call.values("sort")):
        found.sort(key=lambda user: user.username if "username" in key else user.last_name, reverse=key[0] == "-")
    more: Json = {"included": []} if visit.call.values("include") else {}
    return page(visit, [_user(visit.call, user) for user in found], more)


def _is_wanted_user(user: User, call: Call) -> bool:
    return not (
        _filtered_out(call, "filter[username]", (user.username,))
        or _filtered_out(call, "filter[roles]", list(user.roles))
        or _filtered_out(call, "filter[visibleApps]", ())
    )


def _user(call: Call, user: User) -> Json:
    attributes = {
        "username": user.username,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "roles": list(user.roles),
        "allAppsVisible": True,
        "provisioningAllowed": False,
    }
    return resource(call, "users", user.id, attributes, "visibleApps")
