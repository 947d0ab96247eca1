// Beside the heading of a month that sticks to the top: the day of the first visible pictures, once
// the heading of that day is out of view.

import { dayName, today } from "clipsite/grid/day-names";
import { firstSeen } from "clipsite/grid/virtual";

let named = null; // the element with the day, if one is shown
let shown = today();

/** Return the day at the top of the window, or null if its own heading is there. */
function dayAbove({ grid, chunk, offset }) {
  const index = grid.chunks.startOf(chunk) + offset;
  const heading = grid.headings.get(index);
  const isUnder = heading && heading.getBoundingClientRect().bottom > headOf(grid).getBoundingClientRect().bottom;
  return isUnder ? (grid.sections[index - 1] ?? null) : grid.sections[index];
}

const headOf = (grid) => grid.list.closest(".month").querySelector(".month-head");

function follow() {
  const seen = firstSeen();
  const day = seen && dayAbove(seen);
  const head = seen && headOf(seen.grid);
  const isStuck = head && head.getBoundingClientRect().bottom > seen.grid.list.getBoundingClientRect().top;
  const place = day && isStuck ? head.querySelector(".month-day") : null;
  if (named && named !== place) named.textContent = "";
  named = place;
  if (place) place.textContent = dayName(day);
}

// A page that stays open over midnight, or comes back, has yesterday's “Today”.
function renew() {
  if (document.hidden || shown === today()) return;
  shown = today();
  for (const heading of document.querySelectorAll("[data-day]")) {
    heading.querySelector("h3").textContent = dayName(heading.dataset.day);
  }
  follow();
}

/** Start to follow the page. */
export function startDays() {
  window.addEventListener("scroll", () => requestAnimationFrame(follow), { passive: true });
  document.addEventListener("grid:rendered", follow);
  document.addEventListener("visibilitychange", renew);
  window.addEventListener("pageshow", renew);
  follow();
}
