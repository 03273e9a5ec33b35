// Written by `python docs/generate.py` from the answers' dataclasses; a test fails when the two differ.

/** What every answer has besides its facts. */
export interface Answered {
  is_good: boolean;
  sentence: string;
  /** The instant of the answer, UTC. */
  as_of: string;
}

/** A Date, such as 2026-11-24. */
export type IsoDate = string;
/** An instant, such as 2026-11-24T10:00:02+00:00. */
export type Instant = string;

/**
 * One run. Without a run report (`operation` empty) its input was refused, or it has not ended.
 *
 * `files` are Apple's instances that it converted or tried to. `waited_seconds` are those in which it waited for Apple
 * or for calls, `worst_verdict` is that of the app that ended worst. `share` is how much of one under way is done,
 * from 0 to 1.
 */
export interface RunLine {
  run_id: string;
  operation: string;
  status: string;
  started_at: Instant;
  seconds: number | null;
  apps: number | null;
  apps_failed: number | null;
  rows_raw: number | null;
  dates_published: number | null;
  apple_calls: number | null;
  started_by: string;
  cause: string;
  files: number | null;
  waited_seconds: number | null;
  worst_verdict: string;
  share: number | null;
}

/** One thing that is not well: who has to do what about it, and how many apps it is about (none: all of them). */
export interface Need {
  what: string;
  who: string;
  do: string;
  apps: number | null;
  which: string;
}

/** One app that was asked about: how the newest daily run ended for it. */
export interface AppState {
  account: string;
  app_id: string;
  app_name: string;
  last_verdict: string;
}

/** One table of an app that was asked about: the verdict of the last check of freshness. */
export interface TableState {
  app_id: string;
  table_name: string;
  verdict: string;
  newest_due_date: IsoDate | null;
  reason: string;
}

/** One daily table: every app is complete up to `complete_until`, `apps_complete` of `apps` up to `most_until`. */
export interface TableUntil {
  table_name: string;
  is_main: boolean;
  complete_until: IsoDate | null;
  most_until: IsoDate | null;
  apps: number;
  apps_complete: number;
}

/** The day from which on Apple has completed a Date in these tables, the main ones of which are named. */
export interface FinalOn {
  day: IsoDate;
  tables: string[];
}

/** Whether yesterday is complete in every daily table of every app, and when Apple completes the rest. */
export interface Yesterday {
  day: IsoDate;
  is_complete: boolean;
  final_on: FinalOn[];
}

/** What a Date is worth, of one app or of the worst of several. In the order of what needs people most. */
export type DateVerdict =
  | "forbidden"
  | "key rejected"
  | "mismatch"
  | "quarantined"
  | "expired"
  | "stopped"
  | "late"
  | "not offered"
  | "not ready"
  | "preliminary"
  | "below threshold"
  | "fresh"
  | "zero"
  | "none";

/** The operation and its arguments. */
export interface RepairRun {
  operation: string;
  arguments: Record<string, unknown>;
}

/**
 * One thing that is not well. Without a `table_name` it is about the whole app.
 *
 * `first` and `last` are the Dates that are missing, `dates` how many. It is so `since` then, and Apple keeps what
 * repairs it until `kept_until`. `ruled_out` are the causes that were looked at and are not it. `repair` is None where
 * no run repairs it, or the next daily one does by itself; `docs` is the place in the documentation.
 */
export interface Attention {
  verdict: DateVerdict;
  account: string;
  app_id: string;
  app_name: string;
  table_name: string;
  reason: string;
  ruled_out: string[];
  who: string;
  do: string;
  since: IsoDate | null;
  first: IsoDate | null;
  last: IsoDate | null;
  dates: number;
  kept_until: IsoDate | null;
  repair: RepairRun | null;
  run_id: string;
  docs: string;
}

/** Nothing has come yet, and nothing is wrong: `requests` were made, and Apple builds the first reports. */
export interface FirstDays {
  registered_at: Instant | null;
  requests: number;
  first_numbers_from: IsoDate | null;
  first_numbers_until: IsoDate | null;
}

/**
 * One look, on the day `judged_on`.
 *
 * `complete_until` is the newest Date that every daily table has complete for every app, `most_until` the same for
 * `apps_complete` of `apps_known`; `until` tells it table by table. `needs` are what is wrong, alike together;
 * `attention` has a line for each app and table, the oldest first. `next_run_at` is the schedule's next start,
 * `running` a run that is under way, and `first_days` is there until the first numbers are. `apps` and `tables` are
 * there for apps that were asked about by name, not for all.
 */
export interface Health extends Answered {
  judged_on: IsoDate;
  last_run: RunLine | null;
  checked_at: string;
  complete_until: IsoDate | null;
  requests: Record<string, number>;
  needs: Need[];
  apps: AppState[];
  tables: TableState[];
  most_until: IsoDate | null;
  apps_known: number;
  apps_complete: number;
  until: TableUntil[];
  yesterday: Yesterday | null;
  attention: Attention[];
  next_run_at: Instant | null;
  first_days: FirstDays | null;
  running: RunLine | null;
}

/** Dates from `start` to `end`, both included. */
export interface Period {
  start: IsoDate;
  end: IsoDate;
}

/** One KPI of the table: what it is, and its final Dates beside as many before. Each KPI has an end of its own. */
export interface AppColumn {
  name: string;
  title: string;
  unit: string;
  bound: string;
  trap: string;
  period: Period;
  previous_period: Period;
}

/**
 * One KPI of one app over final Dates. None where it is not known; zero is 0.
 *
 * `change` is a share of the previous value, of a KPI that is a share itself the difference; None where one of the
 * values is not known, the previous one is 0, or a Date is missing. `missing` is how many due Dates are.
 */
export interface AppValue {
  value: number | null;
  change: number | null;
  missing: number;
}

/** One Date of the small chart, which is of the first KPI; None where there is no value. */
export interface SparkPoint {
  day: IsoDate;
  value: number | null;
  is_final: boolean;
}

/** One app. `tables` are those that are not well; every daily table is complete up to `complete_until`. */
export interface AppRow {
  app_id: string;
  app_name: string;
  account: string;
  verdict: DateVerdict;
  tables: string[];
  complete_until: IsoDate | null;
  metrics: Record<string, AppValue>;
  spark: SparkPoint[];
}

/**
 * One page. `total` apps match the question, and the page begins at `offset` of them.
 *
 * `counts` are of all apps that match without the verdict: `all`, `action` for those that need somebody, and each
 * verdict that occurs. `next` and `previous` lead to the other pages, empty where there are none.
 */
export interface AppTable extends Answered {
  total: number;
  offset: number;
  counts: Record<string, number>;
  columns: AppColumn[];
  apps: AppRow[];
  next: string;
  previous: string;
}

/** How a report request stands. */
export type RequestVerdict =
  | "ready"
  | "not ready"
  | "not registered"
  | "stopped"
  | "silent"
  | "forbidden"
  | "key rejected"
  | "conflict"
  | "failed";

/**
 * One app and access type.
 *
 * `requested_on` is None where Apple had the request before us; `age_days` then counts from when it was adopted.
 * `last_instance` is the newest processing date that Apple listed, `next_expected` the day of the next one.
 */
export interface RequestLine {
  account: string;
  app_id: string;
  access_type: string;
  verdict: RequestVerdict;
  app_name: string;
  request_id: string;
  requested_on: IsoDate | null;
  age_days: number | null;
  last_instance: IsoDate | null;
  next_expected: IsoDate | null;
  reason: string;
}

/**
 * One Date of one table: the worst verdict, and how many of the apps have it.
 *
 * `is_restated`: Apple has replaced the Date for one of them after it was final.
 */
export interface DateCell {
  verdict: DateVerdict;
  apps: number;
  is_restated: boolean;
}

/**
 * One daily table. `cells` are in the order of the answer's Dates.
 *
 * Every Date up to `complete_until` is complete for every app, up to `most_until` for `apps_complete` of `apps`: those
 * of which no due Date is missing. Apple calls a Date complete after `window_days`.
 */
export interface TableLine {
  table_name: string;
  report: string;
  is_main: boolean;
  window_days: number;
  complete_until: IsoDate | null;
  most_until: IsoDate | null;
  apps: number;
  apps_complete: number;
  cells: DateCell[];
}

/**
 * One app. `why` has a line for each table that is not well; `tables` have a verdict for each of `dates`.
 *
 * `first_date` is the first Date that is expected of it. `last_verdict` is how the newest daily run ended for it, in
 * the words of runs.
 */
export interface AppDetails extends Answered {
  app_id: string;
  app_name: string;
  account: string;
  verdict: DateVerdict;
  checked_at: string;
  first_date: IsoDate | null;
  complete_until: IsoDate | null;
  last_run: string;
  last_verdict: string;
  why: Attention[];
  requests: RequestLine[];
  dates: IsoDate[];
  tables: TableLine[];
}

/** The tables, the main ones first. `checked_at` is the check of freshness that older Dates are judged by. */
export interface TableDates extends Answered {
  checked_at: string;
  dates: IsoDate[];
  tables: TableLine[];
}

/**
 * What to know about a KPI's values. `bound` is exact, at least, at most or estimate, and belongs to each of them.
 *
 * It is made of `tables`, and can be split by `dimensions`. `trap` is the sentence to show beside every value, `sql`
 * the same question for Athena.
 */
export interface ReportedKpi {
  name: string;
  title: string;
  unit: string;
  kind: string;
  bound: string;
  formula: string;
  trap: string;
  tables: string[];
  dimensions: string[];
  sql: string;
}

/**
 * The formula over all final Dates from `start` to `end`; None where that says nothing, as of stocks and uniques.
 *
 * `missing` due Dates among them have no value. `previous` is over the Dates at the same places in the period before,
 * and `change` the share by which the total differs from it, of a KPI that is a share itself the difference; None
 * where one of them is not known, the previous one is 0, or a Date of either is missing.
 */
export interface ReportedTotal {
  value: number | null;
  bound: string;
  start: IsoDate | null;
  end: IsoDate | null;
  missing: number;
  previous: number | null;
  change: number | null;
}

/** What the number of a Date is worth. */
export type DateState =
  | "final"
  | "preliminary"
  | "zero"
  | "missing"
  | "quarantined"
  | "not due"
  | "being replaced"
  | "not built";

/**
 * One Date, or the first Date of a week or month.
 *
 * `previous` is the value of the Date that stands at its place in the period before. `restated_from` is what the Date
 * had when Apple first called it final, and `restated_on` the day on which that changed; None where nothing changed,
 * or where the earlier value is no longer stored.
 */
export interface ReportedPoint {
  day: IsoDate;
  value: number | null;
  state: DateState;
  is_final: boolean;
  bound: string;
  apps_missing: number;
  reason: string;
  previous: number | null;
  restated_from: number | null;
  restated_on: IsoDate | null;
}

/**
 * One KPI of one app, or of all that were asked for where `app_id` is empty, and of one value of the dimension.
 *
 * `slice` is None where Apple gives no value, and where no dimension was asked for; `is_rest` is the sum of the values
 * that did not make it into the limit.
 */
export interface ReportedSeries {
  kpi: string;
  app_id: string;
  app_name: string;
  slice: string | null;
  is_rest: boolean;
  complete_until: IsoDate | null;
  total: ReportedTotal;
  points: ReportedPoint[];
}

/**
 * The series, KPI by KPI in the order asked for; a dimension's values with the largest totals first, the rest last.
 *
 * Every Date up to `complete_until` is complete for every KPI and app, up to `most_until` for `apps_complete` of
 * `apps`. The previous period is None unless a comparison was asked for. `trap` and `sql` are those of all KPIs.
 */
export interface KpiReport extends Answered {
  start: IsoDate;
  end: IsoDate;
  granularity: string;
  by: string;
  where: string;
  previous_start: IsoDate | null;
  previous_end: IsoDate | null;
  complete_until: IsoDate | null;
  most_until: IsoDate | null;
  apps: number;
  apps_complete: number;
  kpis: ReportedKpi[];
  series: ReportedSeries[];
  notices: string[];
  trap: string;
  sql: string;
}

/**
 * One KPI. `is_deployed`: all of its `tables` are, so it can be asked for.
 *
 * `weekly` and `monthly` are the KPIs to ask in its place for a week or a month, empty where its Dates add up.
 */
export interface CatalogueEntry {
  name: string;
  title: string;
  unit: string;
  kind: string;
  bound: string;
  formula: string;
  trap: string;
  dimensions: string[];
  granularity: string;
  window_days: number;
  tables: string[];
  weekly: string;
  monthly: string;
  is_deployed: boolean;
}

/** All of them, and what people ask for that these reports cannot tell, with the reason. */
export interface KpiCatalogue extends Answered {
  kpis: CatalogueEntry[];
  not_in_these_reports: Record<string, string>;
}

/**
 * The newest runs, newest first, or a page of them.
 *
 * `total` match the question. `counts` are of all runs that are remembered: `all`, `failed` and each operation.
 * `next_run_at` is the schedule's next start; None where there is none, or it cannot be told.
 */
export interface RunList extends Answered {
  runs: RunLine[];
  total: number;
  counts: Record<string, number>;
  next_run_at: Instant | null;
  next: string;
  previous: string;
}

/** Where to look further: the run report and its page, the execution, and its page in the AWS console. */
export interface Links {
  report: string;
  page: string;
  execution: string;
  console: string;
}

/** The run did nothing else from `since` to `until`, because something was not ready. */
export interface StageWait {
  waits_for: string;
  since: Instant;
  until: Instant;
}

/**
 * One Map of the run, `name` in small letters. `state` is waiting, running or done; `unit` is what `total` counts.
 *
 * `started_at` is when its items were planned, `ended_at` when the next Map's were, or the run ended.
 */
export interface Stage {
  name: string;
  state: string;
  unit: string;
  total: number;
  done: number;
  failed: number;
  started_at: Instant | null;
  ended_at: Instant | null;
  waits: StageWait[];
}

/**
 * Two pairs that must be equal, never to be compared crosswise.
 *
 * A run's files are a part of a Date: `rows_raw` less `rows_dropped`, of Dates that were not asked for, are
 * `rows_converted`. Athena is asked for whole Dates: `rows_published` are `rows_athena` once Verify is done.
 */
export interface Proof {
  rows_raw: number;
  rows_dropped: number;
  rows_converted: number;
  rows_published: number;
  rows_athena: number;
  dates_published: number;
}

/** Calls to Apple: of this run, and of the rolling hour of all keys together. `more_at`: when some come back. */
export interface RunCalls {
  made: number;
  used_this_hour: number;
  per_hour: number;
  left: number;
  more_at: Instant | null;
}

/** One sentence about what did not fail and should be read all the same. */
export interface NoticeLine {
  notice: string;
}

/** How many apps ended with a verdict, and which with their names (at most twenty). */
export interface VerdictLine {
  verdict: string;
  apps: number;
  app_ids: string;
}

/** One item that failed. `reason` ends with the next step; `repair` is None where no run of a person repairs it. */
export interface ErrorLine {
  item: string;
  table: string;
  verdict: string;
  reason: string;
  app_name: string;
  app_id: string;
  repair: RepairRun | null;
  docs: string;
}

/**
 * One Date of one table that the run wrote anew; `was_final`: Apple corrected it after it was complete.
 *
 * `sums_before` and `sums_now` are of the additive measures, exact, as text.
 */
export interface ReplacedDate {
  table_name: string;
  day: IsoDate;
  apps: number;
  rows_before: number;
  rows_now: number;
  sums_before: Record<string, string>;
  sums_now: Record<string, string>;
  was_final: boolean;
}

/**
 * One run: its report. `totals` are the report's numbers, by their names there.
 *
 * `judged_on` is the day by which it decided what is due. While it is under way, `verdicts` and `errors` are those of
 * the items that have ended.
 */
export interface RunDetails extends Answered {
  run_id: string;
  operation: string;
  status: string;
  started_at: Instant;
  started_by: string;
  judged_on: string;
  seconds: number | null;
  cause: string;
  links: Links;
  apps: number | null;
  apps_failed: number | null;
  stages: Stage[];
  proof: Proof | null;
  calls: RunCalls | null;
  totals: Record<string, number> | null;
  unknown_columns: Record<string, string[]> | null;
  missing_columns: Record<string, string[]> | null;
  skipped_dates: Record<string, Record<string, string[]>> | null;
  notices: NoticeLine[];
  verdicts: VerdictLine[];
  errors: ErrorLine[];
  replaced: ReplacedDate[];
}

/** How an item, or an app, ended. */
export type Verdict =
  | "ready"
  | "converted"
  | "published"
  | "verified"
  | "unchanged"
  | "rolled back"
  | "superseded"
  | "not ready"
  | "expired"
  | "forbidden"
  | "key rejected"
  | "conflict"
  | "quarantined"
  | "mismatch"
  | "failed";

/** One app in a run. `cells` are in the order of the answer's tables; None where the run has nothing of it. */
export interface RunApp {
  app_id: string;
  app_name: string;
  account: string;
  verdict: Verdict;
  reason: string;
  cells: (Verdict | null)[];
}

/** The apps of a run × tables, failures first. `exceptions` is how many apps ended worse than most. */
export interface RunItems extends Answered {
  run_id: string;
  tables: string[];
  total: number;
  exceptions: number;
  offset: number;
  apps: RunApp[];
  next: string;
  previous: string;
}

/**
 * One app: what happens to its snapshot. `next_possible_on`: from then on Apple grants a new one.
 *
 * A snapshot holds no Date that was not complete on its request day.
 */
export interface SnapshotPlan {
  account: string;
  app_id: string;
  snapshot: string;
  requested_on: IsoDate | null;
  next_possible_on: IsoDate | null;
  apple_calls: number;
}

/** One table: its Dates (of a reprocess and a refetch the processing dates) and what is expected of them. */
export interface PlannedTable {
  table_name: string;
  first: IsoDate | null;
  last: IsoDate | null;
  dates: number;
  apps: number;
  files: number | null;
  rows: number | null;
}

/** One thing that AWS counts. */
export interface CostLine {
  what: string;
  count: number;
  us_dollars: number;
}

/**
 * A run that has not been started. What cannot be told beforehand is None.
 *
 * It makes `apple_calls` at least, may see `apple_calls_per_hour` of the quota used, of which `apple_calls_used` are,
 * and so takes `hours`. `confirm_word` is what a person types to go on, of runs that take something away.
 */
export interface PlannedRun {
  operation: string;
  arguments: Record<string, unknown>;
  apps: number;
  files: number | null;
  dates: number | null;
  rows: number | null;
  apple_calls: number;
  apple_calls_used: number;
  apple_calls_per_hour: number;
  hours: number;
  us_dollars: number;
  snapshots: SnapshotPlan[];
  tables: PlannedTable[];
  costs: CostLine[];
  warnings: string[];
  confirm_word: string;
}

/** A plan that `POST /runs` starts, once, until `expires_at`, for the person who made it. */
export interface PlanOffer extends Answered {
  plan_id: string;
  expires_at: Instant;
  plan: PlannedRun;
}

/** The run of a plan. A second confirmation of the same plan tells the same run, and `is_new` is false. */
export interface StartedRun extends Answered {
  run_id: string;
  operation: string;
  started_at: Instant;
  is_new: boolean;
}

/** Opens one connection to `url`, sent as its WebSocket subprotocol, until `expires_at`. */
export interface LiveTicket extends Answered {
  ticket: string;
  url: string;
  expires_at: Instant;
}

/** Whoever asks. `app_ids` are the granted apps, None where all may be seen; `actions` are the rights by name. */
export interface Me extends Answered {
  user_id: string;
  role: string;
  is_limited: boolean;
  app_ids: string[] | null;
  actions: string[];
  workgroup: string;
  region: string;
}

/**
 * Somebody who may sign in. `app_ids` are the granted apps of a limited person, None of everybody else.
 *
 * `state` is invited (the first password has not been changed), active or disabled; `last_action_at` is the newest
 * line of the audit log, None without any.
 */
export interface Person extends Answered {
  user_id: string;
  email: string;
  role: string;
  is_limited: boolean;
  app_ids: string[] | null;
  has_second_factor: boolean;
  state: string;
  invited_at: Instant | null;
  last_action_at: Instant | null;
}

/** Everybody who may sign in, by address. */
export interface People extends Answered {
  people: Person[];
  next: string;
  previous: string;
}

/** One action, or one refusal. `outcome` is done, refused, failed, or attempted where nothing says how it ended. */
export interface AuditEntry {
  entry_id: string;
  at: Instant;
  user_id: string;
  who: string;
  action: string;
  target: string;
  outcome: string;
  detail: string;
}

/** A page of the audit log, newest first. */
export interface AuditLog extends Answered {
  entries: AuditEntry[];
  next: string;
}

/** Something that happened on a day, beside the numbers: of one app, or of all where `app_id` is None. */
export interface Annotation {
  annotation_id: string;
  app_id: string | null;
  day: IsoDate;
  kind: string;
  text: string;
  written_by: string;
  created_at: Instant;
  changed_at: Instant;
}

/** Annotations, oldest day first. */
export interface Annotations extends Answered {
  annotations: Annotation[];
}

/** What went wrong (RFC 9457). `detail` is one sentence for a person; `field` is the part of the request, if one. */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail: string;
  field: string;
}
