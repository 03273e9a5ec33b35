"""/me, /users and /audit of three invented people and a few more."""

from datetime import timedelta

from appstore_console.facts import Annotation, Annotations, AuditEntry, AuditLog, Me, People, Person
from appstore_console.rights import RIGHTS, Role
from tests.e2e.console.imitation.portfolio import DAY, NOW, TODAY, App
from tests.e2e.console.imitation.runs import FAILED_RUN

ADDRESSES = {Role.VIEWER: "growth@example.com", Role.OPERATOR: "on.call@example.com", Role.ADMIN: "lead@example.com"}


def me(role: Role, app_ids: tuple[str, ...] | None) -> Me:
    rights = tuple(str(right) for right in sorted(RIGHTS[role]))
    return Me(f"user-{role}", role, app_ids is not None, app_ids, rights, "appstore-analytics", "eu-central-1")


def people() -> list[Person]:
    def person(
        email: str,
        role: str,
        *,
        state: str = "active",
        apps: int | None = None,
        factor: bool = True,
        days: int | None = 0,
    ) -> Person:
        ids = tuple(App(number).id for number in range(apps)) if apps is not None else None
        acted = NOW - days * DAY - timedelta(minutes=10) if days is not None else None
        return Person(f"user-{email}", email, role, ids is not None, ids, factor, state, NOW - 90 * DAY, acted)

    return [
        person("former@example.com", "viewer", state="disabled", apps=1, days=74),
        person("growth@example.com", "viewer", days=2),
        person("finance@example.com", "viewer", factor=False, days=11),
        person("lead@example.com", "admin"),
        person("on.call@example.com", "operator"),
        person("release.desk@example.com", "operator", apps=12, days=1),
        person("studio@example.com", "viewer", state="invited", apps=4, factor=False, days=None),
    ]


def everybody() -> People:
    return People(tuple(people()))


def audit(outcome: str = "", offset: int = 0, limit: int = 20) -> AuditLog:
    rows = (
        (0.4, "on.call@example.com", "plan a run", "backfill", "done", "2 apps, 582 Dates, US$ 0.37"),
        (0.6, "lead@example.com", "invite", "studio@example.com", "done", "viewer of 4 apps"),
        (1.2, "growth@example.com", "start a run", "daily", "refused", "needs the role operator"),
        (43, "on.call@example.com", "start a run", "20261127T151240000Z-backfill", "done", "2 apps"),
        (66, "release.desk@example.com", "start a run", FAILED_RUN, "failed", "the plan had expired"),
        (120, "lead@example.com", "change a role", "release.desk@example.com", "done", "viewer → operator"),
        (310, "lead@example.com", "disable", "former@example.com", "done", ""),
    )
    entries = tuple(
        AuditEntry(f"entry-{number}", NOW - timedelta(hours=hours), f"user-{who}", who, action, target, end, detail)
        for number, (hours, who, action, target, end, detail) in enumerate(rows * 6)
        if outcome in ("", end)
    )
    following = str(offset + limit) if offset + limit < len(entries) else ""
    return AuditLog(entries[offset : offset + limit], following)


def annotations() -> Annotations:
    """What somebody has written down about all apps: a release, and what is no release."""

    def note(back: int, kind: str, words: str) -> Annotation:
        return Annotation(f"note-{back}", None, TODAY - back * DAY, kind, words, "user-lead", NOW, NOW)

    return Annotations((note(15, "release", "4.2.1 in all stores"), note(10, "campaign", "Spring sale")))
