// Selecting all pictures of a day or a month, by the check beside its heading.

import { NoAnswer } from "clipsite/base/ask";
import { fill, message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";
import { gridOf, load } from "clipsite/grid/virtual";
import { isSelected, list, onChange, selection, setMany } from "clipsite/select/selection";
import { MOST } from "clipsite/select/state";
import { texts } from "clipsite/select/texts";

const CHECK = ".group-check";

const gridAt = (check) => gridOf(check.closest(".month").querySelector("[data-grid]"));
/** The day of a check, or null for a whole month. */
const dayAt = (check) => check.closest(".day")?.dataset.section ?? null;

function dress(heading) {
  if (heading.querySelector(CHECK)) return;
  const check = document.createElement("button");
  check.type = "button";
  check.className = "group-check";
  check.setAttribute("role", "checkbox");
  const name = heading.querySelector("h2, h3").textContent;
  check.setAttribute("aria-label", fill(texts.checkAll, { name }));
  check.title = check.getAttribute("aria-label");
  heading.prepend(check);
}

/** Return {count, chosen}: the pictures of a month or of one of its days, and the selected ones of
 *  them. Those of a day that are not loaded do not count. */
function tally(grid, day) {
  let count = 0;
  let chosen = 0;
  for (const chunk of grid.chunks.list) {
    if (!chunk.ids && day === null) {
      count += chunk.count;
      if (selection.whole) chosen += chunk.count;
    }
    chunk.ids?.forEach((id, at) => {
      if (day !== null && chunk.sections[at] !== day) return;
      count += 1;
      if (isSelected(id)) chosen += 1;
    });
  }
  return { count, chosen };
}

function mark(check) {
  const { count, chosen } = tally(gridAt(check), dayAt(check));
  const part = chosen ? "mixed" : "false";
  check.setAttribute("aria-checked", count && chosen === count ? "true" : part);
}

const markAll = () => list.querySelectorAll(CHECK).forEach(mark);

/** Whether a part that is not loaded may have pictures of a day. Days run backwards. */
function mayHold(grid, chunk, day) {
  if (chunk.ids) return false;
  if (day === null) return true;
  const { list: parts } = grid.chunks;
  const at = parts.indexOf(chunk);
  const before = parts.slice(0, at).findLast(({ ids }) => ids?.length)?.sections.at(-1);
  const behind = parts.slice(at + 1).find(({ ids }) => ids?.length)?.sections[0];
  return (!before || before >= day) && (!behind || behind <= day);
}

async function toggle(check) {
  const grid = gridAt(check);
  const day = dayAt(check);
  const on = check.getAttribute("aria-checked") !== "true";
  for (const chunk of [...grid.chunks.list]) if (mayHold(grid, chunk, day)) await load(grid, chunk);
  const ids = grid.chunks.ids.filter((_, at) => day === null || grid.sections[at] === day);
  // A group that is larger than any selection is taken back by the next press.
  setMany(ids, on && selection.count < MOST);
}

if (list?.dataset.place === "timeline") {
  list.querySelectorAll(".month-head").forEach(dress);
  list.querySelectorAll(".day").forEach(dress);
  document.addEventListener("grid:rendered", ({ detail }) => {
    detail.headings.filter((heading) => heading.matches(".day")).forEach(dress);
    markAll();
  });
  list.addEventListener("click", async (event) => {
    const check = event.target.closest(CHECK);
    if (!check) return;
    try {
      await toggle(check);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      toast(message("network"));
    }
  });
  onChange(markAll);
  markAll();
}
