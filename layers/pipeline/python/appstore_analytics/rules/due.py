"""What may be new at Apple, so that nothing is listed that cannot be."""

from datetime import date, timedelta

from appstore_analytics.contract.catalogue.definition import Granularity
from appstore_analytics.rules.calendar import last_publication

INSTANCE_LIFE_DAYS = 35
"""Apple deletes an instance this many days after its processing date."""

_LOOK_AGAIN_DAYS = 7
_SILENCE_DAYS = 3
_SNAPSHOT_SETTLES_DAYS = 7
_SNAPSHOT_BUILT_WITHIN_DAYS = 3  # 24 to 48 hours, says Apple
_SNAPSHOT_RENEWED_AFTER_DAYS = 33
"""Two days more than the quota that is reported, because deleting too early would leave the app without a snapshot."""


def is_due(granularity: Granularity, as_of: date, newest: date | None) -> bool:
    """Whether a new instance may be listed on `as_of`, when `newest` is the newest processing date already listed.

    Daily instances come every day, and late ones out of order. Once the last weekly or monthly one is there, nothing
    new can come before the next publication.
    """
    if granularity is Granularity.DAILY or newest is None:
        return True
    return newest < last_publication(granularity, as_of)


def is_remembered_as_vanished(last_listed: date, as_of: date) -> bool:
    """Whether every run still tells of an app that Apple lists no more: as long as an instance of it can exist."""
    return as_of - last_listed <= timedelta(days=INSTANCE_LIFE_DAYS)


def offer_is_old(read_on: date | None, as_of: date) -> bool:
    """Whether the reports that a request offers are to be listed again, once a week: Apple may have added some."""
    return read_on is None or as_of - read_on >= timedelta(days=_LOOK_AGAIN_DAYS)


def latest_processing_date(as_of: date, today: date) -> date:
    """The last processing date that can be true: tomorrow, because a day begins earlier elsewhere.

    A later one would be the newest vintage for ever. `as_of` counts where it is ahead of the machine's UTC day.
    """
    return max(as_of, today) + timedelta(days=1)


def may_have_instances(requested_on: date | None, as_of: date) -> bool:
    """Whether an ongoing request can have brought anything: not on the day it was made.

    Apple builds the first reports 24 to 48 hours later ("Downloading Analytics Reports"), so listing them on that day
    would cost a call for every report of every app. None: somebody else made it, nobody tells when.
    """
    return requested_on != as_of


def must_look(looked_on: date | None, newest: date | None, as_of: date) -> bool:
    """Whether to ask Apple if a known report request still lives (it may be stopped for inactivity, or deleted).

    Once a week, and daily once no instance has come for three days.
    """
    if looked_on is None or as_of - looked_on >= timedelta(days=_LOOK_AGAIN_DAYS):
        return True
    return is_silent(newest, as_of) and looked_on < as_of


def is_silent(newest: date | None, as_of: date) -> bool:
    """Whether a request that used to have instances has had no new one for three days, as a stopped one has."""
    return newest is not None and as_of - newest > timedelta(days=_SILENCE_DAYS)


def snapshot_is_outdated(
    requested_on: date | None, known_since: date | None, newest_instance: date | None, as_of: date
) -> bool:
    """Whether a backfill needs a new snapshot, and may have one: Apple grants one in about 31 days.

    By then the instances of the old one are about to expire, and newer Dates are missing in it. Nobody tells the age of
    an adopted snapshot (`requested_on` None): it is at least as old as our knowledge of it, and one that has shown no
    instance in longer than Apple takes to build them has outlived them.
    """
    since = requested_on or known_since
    if since is None:
        return False
    if requested_on is None and newest_instance is None and as_of - since > timedelta(days=_SNAPSHOT_BUILT_WITHIN_DAYS):
        return True
    return as_of >= snapshot_renewable_on(since)


def snapshot_renewable_on(since: date) -> date:
    """The day from which on a snapshot that was requested (or found) on `since` is replaced by a new one."""
    return since + timedelta(days=_SNAPSHOT_RENEWED_AFTER_DAYS)


def snapshot_is_due(asked_on: date, has_instances: bool, as_of: date) -> bool:
    """Whether a daily run still looks for instances of a snapshot that a backfill asked for on `asked_on`.

    Until the first arrives, at most an instance's life; then for a week, in case Apple delivers it in pieces.
    """
    patience = _SNAPSHOT_SETTLES_DAYS if has_instances else INSTANCE_LIFE_DAYS
    return as_of - asked_on <= timedelta(days=patience)
