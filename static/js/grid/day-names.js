// Names of days like "2024-05-03": Today, Yesterday, the weekday for the days before, then the date.

const { lang } = document.documentElement;
const inUtc = (options) => new Intl.DateTimeFormat(lang, { ...options, timeZone: "UTC" });
const dates = inUtc({ weekday: "short", day: "numeric", month: "short" });
const weekdays = inUtc({ weekday: "long" });
const whole = inUtc({ dateStyle: "full" });
const ago = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
const DAY = 24 * 60 * 60 * 1000;

const midnight = (/** @type {string} */ day) => Date.parse(`${day}T00:00:00Z`);

/** Return today by the clock of the reader, like "2024-05-03".
 * @param {Date} now */
export function today(now = new Date()) {
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

/** Return the name of a day.
 * @param {string} day
 * @param {string} reference - the day that is today */
export function dayName(day, reference = today()) {
  const back = (midnight(reference) - midnight(day)) / DAY;
  if (back === 0 || back === 1) return capitalised(ago.format(-back, "day"));
  return (back > 1 && back < 7 ? weekdays : dates).format(midnight(day));
}

/** Return a day in full, with weekday and year.
 * @param {string} day */
export const wholeDate = (day) => whole.format(midnight(day));

const capitalised = (/** @type {string} */ text) => text[0].toLocaleUpperCase(lang) + text.slice(1);
