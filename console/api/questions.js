/** The paths of requests with many parameters. The same question has the same path, so that it is sent once. */

/**
 * @typedef {object} KpiQuestion
 * @property {string[]} metrics
 * @property {string} app
 * @property {number} days final Dates of each KPI; the open ones follow them
 * @property {string} [by]
 * @property {string} [where]
 * @property {boolean} [compares]
 * @property {number} [limit]
 * @property {string} [granularity]
 * @property {[string, string]} [between] the first and the last Date, in place of `days`
 */

/** @param {KpiQuestion} question */
export function kpisPath({ metrics, app, days, by, where, compares, limit, granularity, between }) {
  const query = new URLSearchParams({ metrics: metrics.join(","), apps: app });
  if (between) {
    query.set("from", between[0]);
    query.set("to", between[1]);
  } else {
    query.set("days", String(days));
  }
  const further = { by, where, granularity, compare: compares ? "previous" : "", limit: limit ? String(limit) : "" };
  for (const [name, value] of Object.entries(further)) if (value) query.set(name, value);
  return `kpis/query?${query}`;
}

/** @param {string} app @param {string} from a day */
export function releasesPath(app, from) {
  return `apps/${encodeURIComponent(app)}/releases?from=${from}`;
}

/** @param {string} app @param {number} days */
export function appPath(app, days) {
  return `apps/${encodeURIComponent(app)}?days=${days}`;
}
