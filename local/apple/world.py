"""The state of the simulated account, and the rules by which report requests and instances appear and disappear."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from appstore_analytics.contract.catalogue import REPORTS, REPORTS_BY_NAME
from appstore_analytics.contract.catalogue.definition import AccessType, Granularity, ReportDefinition
from local.apple import draw
from local.apple.data import Row, rows_of_date
from local.apple.faults import Faults
from local.apple.keys import ApiKey, ApiRole, HourlyCalls, KeyRing, RestingCalls
from local.apple.model import App, Instance, ReportRequest, Series, WorldSettings
from local.apple.publication import (
    DAY,
    dates_of_instance,
    dates_of_snapshot,
    is_publication_day,
    maturity,
    previous_publication_day,
    publication_days,
    window_days,
)
from local.apple.statistics import CallStatistics
from local.apple.values import invented_app

INSTANCES_LIVE_DAYS = 35
EXPIRED_INSTANCES_ARE_LISTED_DAYS = 5
SNAPSHOT_QUOTA_DAYS = 31

_NUMBERS = {report.name: number for number, report in enumerate(REPORTS, start=1)}


class EntityExistsError(Exception):
    """The app has such a report request, or had its snapshot less than 31 days ago (409)."""


class GoneError(Exception):
    """There is nothing with this id (any more): 404."""


@dataclass(frozen=True, slots=True)
class Irregularity:
    """A scenario's change of one instance: when it appears, and its contents (None: as usual)."""

    published_on: date
    dates: tuple[date, ...] | None = None
    as_of: date | None = None


@dataclass
class World:
    """Apps, report requests and their instances on a business date that moves only on request.

    Keys, tokens, signed URLs and hourly calls live on the wall clock instead, as a client's do. Thread safe.
    `admin_key` is the account's first API key.
    """

    settings: WorldSettings
    apps: dict[str, App] = field(init=False)
    forbidden_app_ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.today: date = self.settings.today
        self.apps = {app.id: app for app in map(invented_app, range(self.settings.apps))}
        self.faults = Faults(self.settings.seed)
        self.keys = KeyRing()
        self.admin_key: ApiKey = self.keys.register(ApiRole.ADMIN)
        self.calls = HourlyCalls(self.settings.calls_per_hour)
        self.resting_calls = RestingCalls(self.settings.calls_before_rest)
        self.statistics = CallStatistics()
        self._requests: dict[str, ReportRequest] = {}
        self._instances: dict[str, Instance] = {}
        self._restatements: dict[Series, list[tuple[date, date]]] = {}
        self._irregularities: dict[tuple[Series, date], Irregularity] = {}
        self._skipped: set[tuple[Series, date]] = set()
        self._renamed: dict[str, str] = {}
        self._files: dict[tuple[Series, date], Path] = {}
        self._lock = threading.RLock()

    # Report requests

    def create_request(self, app_id: str, access_type: AccessType) -> ReportRequest:
        """Creates the app's request. Raises EntityExistsError when there is one, and within 31 days of a snapshot."""
        with self._lock:
            same = [
                each for each in self._requests.values() if (each.app_id, each.access_type) == (app_id, access_type)
            ]
            if any(each.deleted_on is None or self._within_quota(each) for each in same):
                raise EntityExistsError(app_id)
            request_id = draw.identifier(self.settings.seed, "request", app_id, access_type, len(same))
            request = ReportRequest(request_id, app_id, access_type, self.today)
            self._requests[request_id] = request
            return request

    def _within_quota(self, request: ReportRequest) -> bool:
        is_snapshot = request.access_type is AccessType.ONE_TIME_SNAPSHOT
        return is_snapshot and self.today < request.created_on + DAY * SNAPSHOT_QUOTA_DAYS

    def requests_of(self, app_id: str) -> list[ReportRequest]:
        """The app's requests that exist now."""
        with self._lock:
            return [each for each in self._requests.values() if each.app_id == app_id and each.deleted_on is None]

    def request(self, request_id: str) -> ReportRequest:
        """The request with this id. Raises GoneError."""
        with self._lock:
            request = self._requests.get(request_id)
        if request is None or request.deleted_on is not None:
            raise GoneError(request_id)
        return request

    def delete_request(self, request_id: str) -> None:
        """Deletes the request with its reports and instances. Raises GoneError."""
        with self._lock:
            self._requests[request_id] = replace(self.request(request_id), deleted_on=self.today)

    def stop_request(self, app_id: str, access_type: AccessType = AccessType.ONGOING) -> None:
        """Apple stops the request due to inactivity: from now on it has no new instances. Raises GoneError."""
        with self._lock:
            request = next((each for each in self.requests_of(app_id) if each.access_type is access_type), None)
            if request is None:
                raise GoneError(app_id)
            self._requests[request.id] = replace(request, stopped_on=self.today)

    # Reports and instances

    def offered_name(self, report_name: str) -> str:
        """The name under which Apple offers a report: its own, unless a scenario has renamed it."""
        with self._lock:
            return self._renamed.get(report_name, report_name)

    def offered_name_of(self, report_id: str) -> str:
        """The same for a report's id. Raises GoneError."""
        return self.offered_name(self.report(report_id)[1].name)

    def report_id(self, request: ReportRequest, report: ReportDefinition) -> str:
        """The id has Apple's format, and changes with every new request."""
        return f"r{_NUMBERS[report.name]}-{request.id}"

    def report(self, report_id: str) -> tuple[ReportRequest, ReportDefinition]:
        """The request and report of a report id. Raises GoneError."""
        number, _, request_id = report_id.removeprefix("r").partition("-")
        if not number.isdigit() or not 1 <= int(number) <= len(REPORTS):
            raise GoneError(report_id)
        return self.request(request_id), REPORTS[int(number) - 1]

    def listed_instances(self, request: ReportRequest, report: ReportDefinition) -> list[Instance]:
        """The instances that Apple lists today, including some that have expired."""
        oldest = self.today - DAY * (INSTANCES_LIVE_DAYS + EXPIRED_INSTANCES_ARE_LISTED_DAYS)
        with self._lock:
            listed = [
                instance
                for granularity in report.granularities
                for instance in self._published(request, report, granularity, oldest)
            ]
            self._instances.update((instance.id, instance) for instance in listed)
        return listed

    def instance(self, instance_id: str) -> Instance:
        """The instance with this id. Raises GoneError if there is none, or 35 days after its processing date."""
        with self._lock:
            instance = self._instances.get(instance_id)
        if instance is None or self.today > instance.processing_date + DAY * INSTANCES_LIVE_DAYS:
            raise GoneError(instance_id)
        self.report(instance.report_id)
        return instance

    def known_instance(self, instance_id: str) -> Instance | None:
        """An instance that was listed once, even if it is gone: a signed URL outlives its instance."""
        with self._lock:
            return self._instances.get(instance_id)

    def every_instance(self, report_name: str, granularity: Granularity) -> list[Instance]:
        """All instances of a table published so far, including expired ones and those of deleted requests."""
        report = REPORTS_BY_NAME[report_name]
        with self._lock:
            requests = list(self._requests.values())
            return [each for request in requests for each in self._published(request, report, granularity, date.min)]

    def _published(
        self, request: ReportRequest, report: ReportDefinition, granularity: Granularity, oldest: date
    ) -> Iterator[Instance]:
        series = Series(request.app_id, report.name, granularity)
        first = max(request.created_on + DAY * self.settings.readiness_days, oldest)
        last = min(day for day in (self.today, request.stopped_on, request.deleted_on) if day is not None)
        if request.access_type is AccessType.ONE_TIME_SNAPSHOT:
            yield from self._snapshot(request, series, first, last)
            return
        irregular = {day for (each, day), what in self._irregularities.items() if each == series and oldest <= day}
        regular = set(publication_days(granularity, first, last))
        for processing_date in sorted(regular | irregular):
            irregularity = self._irregularities.get((series, processing_date), Irregularity(processing_date))
            if first <= irregularity.published_on <= last and not self._is_missing(series, processing_date):
                yield self._ongoing(request, series, processing_date, irregularity)

    def _is_missing(self, series: Series, processing_date: date) -> bool:
        is_missing = self._share("missing", series, processing_date) < self.settings.missing_share
        return is_missing and (series, processing_date) not in self._files

    def _snapshot(self, request: ReportRequest, series: Series, first: date, last: date) -> Iterator[Instance]:
        """One instance with all history up to the request day."""
        processing_date = request.created_on + DAY * self.settings.readiness_days
        dates = dates_of_snapshot(series.granularity, self.settings.history_start, request.created_on)
        if dates and first <= processing_date <= last:
            yield self._instance(request, series, processing_date, request.created_on, dates)

    def _ongoing(
        self, request: ReportRequest, series: Series, processing_date: date, irregularity: Irregularity
    ) -> Instance:
        dates = irregularity.dates or self._regular_dates(series, processing_date)
        as_of = irregularity.as_of or processing_date
        kept = tuple(day for day in dates if (series, day) not in self._skipped)
        instance = self._instance(request, series, processing_date, as_of, kept)
        return instance if self.file_of(instance) is None else replace(instance, dates=kept, segments=1)

    def _regular_dates(self, series: Series, processing_date: date) -> tuple[date, ...]:
        """The window, and the older Dates restated since the previous instance."""
        window = self._window(series)
        dates = set(dates_of_instance(series.granularity, processing_date, window))
        before = previous_publication_day(series.granularity, processing_date)
        restated = {day for day, from_ in self._restatements.get(series, ()) if before < from_ <= processing_date}
        return tuple(sorted(dates | restated))

    def _instance(
        self, request: ReportRequest, series: Series, processing_date: date, as_of: date, dates: tuple[date, ...]
    ) -> Instance:
        segments = self.settings.segments_per_instance or 1 + (self._share("two", series, processing_date) < 0.25)
        if request.access_type is AccessType.ONGOING:
            kind = self._share("empty", series, processing_date)
            without_file = kind < self.settings.no_segments_share
            if kind < self.settings.no_segments_share + self.settings.header_only_share:
                dates, segments = (), 0 if without_file else 1
        report_id = self.report_id(request, REPORTS_BY_NAME[series.report_name])
        instance_id = draw.identifier(self.settings.seed, report_id, series.granularity, processing_date)
        return Instance(instance_id, report_id, series, request.access_type, processing_date, as_of, dates, segments)

    def _share(self, word: str, series: Series, day: date) -> float:
        return draw.share(self.settings.seed, word, series.app_id, series.report_name, series.granularity, day)

    def _window(self, series: Series) -> int:
        return window_days(REPORTS_BY_NAME[series.report_name], self.settings.dates_per_instance)

    # Rows

    def rows(self, instance: Instance, day: date) -> tuple[Row, ...]:
        """The rows of one Date as in this instance. ValueError if a test has given it a file."""
        series = instance.series
        if self.file_of(instance) is not None:
            raise ValueError(f"instance: the rows of {instance.id} are in a file that it was given")
        report = REPORTS_BY_NAME[series.report_name]
        share = maturity(report, series.granularity, (instance.as_of - day).days, self._window(series))
        with self._lock:
            restated = [from_ for each, from_ in self._restatements.get(series, ()) if each == day]
        revision = sum(from_ <= instance.as_of for from_ in restated)
        app = self.apps[series.app_id]
        return rows_of_date(self.settings.seed, app, series, day, self.settings.rows_per_date, share, revision)

    def file_of(self, instance: Instance) -> Path | None:
        """The file that this instance was given, see `send_file`."""
        if instance.access_type is not AccessType.ONGOING:
            return None
        return self._files.get((instance.series, instance.processing_date))

    def segment_rows(self, instance: Instance, index: int) -> list[Row]:
        """The rows of one segment: all Dates, oldest first, cut into as many pieces as there are segments."""
        rows = [row for day in instance.dates for row in self.rows(instance, day)]
        piece = -(-len(rows) // instance.segments)
        return rows[index * piece : (index + 1) * piece]

    # Scenarios

    def move_to(self, today: date) -> None:
        """Moves the business date, forward only: ValueError otherwise."""
        with self._lock:
            if today < self.today:
                raise ValueError(f"today: the business date {self.today} cannot go back to {today}")
            self.today = today

    def advance(self, days: int = 1) -> None:
        """Move the business date forward by this many days."""
        self.move_to(self.today + timedelta(days=days))

    def restate(self, series: Series, day: date) -> None:
        """The next instance corrects this Date, however old: counts change and some rows vanish."""
        with self._lock:
            self._restatements.setdefault(series, []).append((day, self.today + DAY))

    def rename_report(self, report_name: str, offered_name: str) -> None:
        """From now on Apple offers this report under another name."""
        with self._lock:
            self._renamed[report_name] = offered_name

    def release_version(self, app_id: str, number: str) -> None:
        """From now on a new version of the app is on sale, and people use it. KeyError names an unknown app."""
        with self._lock:
            app = self.apps[app_id]
            self.apps[app_id] = replace(app, released=(*app.released, (number, self.today)))

    def skip_date(self, series: Series, day: date) -> None:
        """No ongoing instance ever contains this Date (a known fault of Apple's); a snapshot does. Order it before."""
        with self._lock:
            self._skipped.add((series, day))

    def repeat_instance(self, series: Series, processing_date: date) -> None:
        """The instance of this processing date has the contents of the day before (a known fault of Apple's)."""
        before = previous_publication_day(series.granularity, processing_date)
        dates = dates_of_instance(series.granularity, before, self._window(series))
        self._change(series, processing_date, Irregularity(processing_date, dates, before))

    def delay_instance(self, series: Series, processing_date: date, published_on: date) -> None:
        """An instance appears later than its processing date, after newer ones."""
        self._change(series, processing_date, Irregularity(published_on))

    def add_late_instance(self, series: Series, processing_date: date, dates: tuple[date, ...] = ()) -> None:
        """An instance with an older processing date appears now. With `dates` empty it has its usual contents.

        ValueError if the instance of that processing date exists already.
        """
        there = self.every_instance(series.report_name, series.granularity)
        if any(each.series == series and each.processing_date == processing_date for each in there):
            raise ValueError(f"processing_date: the instance of {processing_date} is published already")
        self._change(series, processing_date, Irregularity(self.today, dates or None))

    def send_file(self, series: Series, processing_date: date, path: Path) -> None:
        """The ongoing instance of this processing date is this gzip file, in one segment, instead of rows made here.

        It is read on request, so large files take no memory. It exists regardless of the settings' shares, and is sent
        unchanged: injected faults do not alter it.
        """
        with self._lock:
            self._files[series, processing_date] = path

    def _change(self, series: Series, processing_date: date, irregularity: Irregularity) -> None:
        if not is_publication_day(series.granularity, processing_date):
            raise ValueError(f"processing_date: {processing_date} is no {series.granularity} publication day")
        with self._lock:
            self._irregularities[series, processing_date] = irregularity
