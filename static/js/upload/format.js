// Sizes, speeds and times in the format of the page's language.

const language = document.documentElement.lang;
const UNITS = ["kilobyte", "megabyte", "gigabyte", "terabyte"];

/** Return the value in the largest fitting unit, and the unit.
 * @returns {[number, string]} */
function scaled(bytes) {
  let value = bytes / 1024;
  let power = 0;
  while (value >= 1000 && power < UNITS.length - 1) {
    value /= 1024;
    power += 1;
  }
  return [value, UNITS[power]];
}

function written(value, unit) {
  const maximumFractionDigits = value < 10 && unit !== "second" ? 1 : 0;
  /** @type {Intl.NumberFormatOptions} */
  const style = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits };
  return new Intl.NumberFormat(language, style).format(value);
}

/** 3565158 -> "3.4 MB" */
export const size = (bytes) => written(...scaled(bytes));

/** 3565158 -> "3.4 MB/s" */
export function speed(bytesPerSecond) {
  const [value, unit] = scaled(bytesPerSecond);
  return written(value, `${unit}-per-second`);
}

/** 200 -> "4 min". At least one second. */
export function duration(seconds) {
  if (seconds < 60) return written(Math.max(1, Math.ceil(seconds)), "second");
  if (seconds < 3600) return written(Math.ceil(seconds / 60), "minute");
  return written(Math.round(seconds / 360) / 10, "hour");
}
