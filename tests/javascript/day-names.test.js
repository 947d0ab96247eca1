// The names of days in headings.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = /** @type {any} */ ({ documentElement: { lang: "en" } });
const { dayName, today, wholeDate } = await import("clipsite/grid/day-names");

test("the days of the last week have names of their own", () => {
  const names = {
    "2026-12-02": "Wed, Dec 2",
    "2026-12-01": "Today",
    "2026-11-30": "Yesterday",
    "2026-11-29": "Sunday",
    "2026-11-25": "Wednesday",
    "2026-11-24": "Tue, Nov 24",
    "2019-12-01": "Sun, Dec 1",
  };
  for (const [day, name] of Object.entries(names)) assert.equal(dayName(day, "2026-12-01"), name);
});

test("a day is yesterday over the end of a month, a year and daylight saving time", () => {
  assert.equal(dayName("2024-02-29", "2024-03-01"), "Yesterday");
  assert.equal(dayName("2025-12-31", "2026-01-01"), "Yesterday");
  assert.equal(dayName("2026-03-29", "2026-03-30"), "Yesterday");
});

test("today is the day on the reader's clock", () => {
  const noon = new Date("2026-12-01T12:00:00Z");
  const before = process.env.TZ;
  try {
    for (const [zone, day] of [
      ["UTC", "2026-12-01"],
      ["Pacific/Kiritimati", "2026-12-02"],
      ["Pacific/Niue", "2026-12-01"],
    ]) {
      process.env.TZ = zone;
      assert.equal(today(noon), day, zone);
    }
    process.env.TZ = "Pacific/Niue";
    assert.equal(today(new Date("2026-12-01T10:59:00Z")), "2026-11-30");
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});

test("the whole date tells the year", () => {
  assert.equal(wholeDate("2026-11-30"), "Monday, November 30, 2026");
});
