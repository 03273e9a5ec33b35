/** Formats of dates and times. Apple's Dates and all times are UTC, whatever the reader's time zone is. */

const DAY = 86_400_000;

/** English words for days and months in the reader's order, whatever the locale of numbers is. */
function language() {
  const wanted = globalThis.navigator?.languages ?? [];
  return wanted.find((each) => /^en(-|$)/.test(each)) ?? "en-GB";
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {number} instant
 * @param {Intl.DateTimeFormatOptions} options
 */
function shown(instant, options) {
  const key = JSON.stringify(options);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language(), { ...options, timeZone: "UTC" });
    formats.set(key, format);
  }
  return format.format(instant);
}

/**
 * Midnight UTC of a Date.
 * @param {string} date
 */
export function instantOf(date) {
  return Date.parse(`${date.slice(0, 10)}T00:00:00Z`);
}

/**
 * The Date a number of days later or earlier.
 * @param {string} date
 * @param {number} days
 */
export function plusDays(date, days) {
  return new Date(instantOf(date) + days * DAY).toISOString().slice(0, 10);
}

/**
 * The number of days from `from` to `to`.
 * @param {string} from
 * @param {string} to
 */
export function daysBetween(from, to) {
  return Math.round((instantOf(to) - instantOf(from)) / DAY);
}

/**
 * 24 Nov; with the year if it is long ago.
 * @param {string} date
 * @param {string} [today]
 */
export function day(date, today) {
  const isFar = today !== undefined && Math.abs(daysBetween(date, today)) > 300;
  return shown(instantOf(date), { day: "numeric", month: "short", ...(isFar ? { year: "numeric" } : {}) });
}

/**
 * Tue 24 Nov
 * @param {string} date
 */
export function weekday(date) {
  return shown(instantOf(date), { weekday: "short", day: "numeric", month: "short" });
}

/**
 * The day of the month, for axes with little space.
 * @param {string} date
 */
export function dayOfMonth(date) {
  return String(Number(date.slice(8, 10)));
}

/**
 * 24 Nov, 24 to 26 Nov, 30 Oct to 2 Nov.
 * @param {string} first
 * @param {string} last
 */
export function span(first, last) {
  if (first === last) return day(first);
  return `${day(first)} to ${day(last)}`;
}

/**
 * 10:24 UTC
 * @param {string} instant
 */
export function clock(instant) {
  return `${shown(Date.parse(instant), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" })} UTC`;
}

/**
 * 10:24:02
 * @param {string} instant
 */
export function seconds(instant) {
  return shown(Date.parse(instant), { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
}

/**
 * 27 Nov 15:12, or only 15:12 for today.
 * @param {string} instant
 * @param {string} [today]
 */
export function moment(instant, today) {
  const time = clock(instant).replace(" UTC", "");
  return today && instant.slice(0, 10) === today.slice(0, 10) ? time : `${day(instant)} ${time}`;
}

/**
 * 21 s, 6 min 12 s, 3 h 11 min
 * @param {number} total seconds
 */
export function duration(total) {
  const whole = Math.max(0, Math.round(total));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours) return `${hours} h ${String(minutes).padStart(2, "0")} min`;
  if (minutes) return `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${whole} s`;
}

/**
 * "10 minutes ago", "yesterday", "74 days ago"
 * @param {string} instant
 * @param {number} now milliseconds
 */
export function ago(instant, now) {
  const minutes = Math.round((Date.parse(instant) - now) / 60_000);
  const relative = new Intl.RelativeTimeFormat(language(), { numeric: "auto" });
  if (Math.abs(minutes) < 60) return relative.format(minutes, "minute");
  if (Math.abs(minutes) < 24 * 60) return relative.format(Math.round(minutes / 60), "hour");
  return relative.format(Math.round(minutes / 60 / 24), "day");
}

/**
 * The same for an axis, which has only round steps: 30 s, 2 min, 1 h, 1 h 40.
 * @param {number} total seconds
 */
export function axisDuration(total) {
  const minutes = Math.round(total / 60);
  if (total < 60) return `${Math.round(total)} s`;
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60}` : `${minutes / 60} h`;
}
