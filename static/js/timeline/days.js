// Beside the heading of a month that sticks to the top: the day of the first visible pictures.

import { dayName } from "clipsite/grid/tile-elements";
import { firstSeen } from "clipsite/grid/virtual";

let named = null; // the element with the day, if one is shown

function follow() {
  const seen = firstSeen();
  const day = seen?.chunk.sections?.[seen.offset];
  const head = seen?.grid.list.closest(".month")?.querySelector(".month-head");
  const isStuck = head && head.getBoundingClientRect().bottom > seen.grid.list.getBoundingClientRect().top;
  const place = day && isStuck ? head.querySelector(".month-day") : null;
  if (named && named !== place) named.textContent = "";
  named = place;
  if (place) place.textContent = dayName(day);
}

/** Start to follow the page. */
export function startDays() {
  window.addEventListener("scroll", () => requestAnimationFrame(follow), { passive: true });
  document.addEventListener("grid:rendered", follow);
  follow();
}
