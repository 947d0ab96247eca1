// The page of quality: the threshold over the histogram, and the keys of doubted answers.

import { onKey } from "clipsite/base/keyboard";

const form = document.getElementById("wish-form");
const histogram = form.querySelector("[data-histogram]");
const range = form.querySelector("[name=at]");
const doubts = document.querySelector("[data-doubts]");

document.addEventListener("change", ({ target }) => {
  if (target.closest("[data-goes]")) target.form.requestSubmit();
});

// --- The threshold ---

const drawLine = () => histogram.style.setProperty("--at", String(range.value));

// A number or the line that is moved is the wish that is meant.
form.addEventListener("input", ({ target }) => {
  const chosen = target.dataset.chooses;
  if (chosen) form.querySelector(`[name=wish][value=${chosen}]`).checked = true;
  if (target === range) drawLine();
});

// The server has found the threshold of a wish: the line goes there.
document.getElementById("cut").addEventListener("htmx:afterSwap", () => {
  const told = document.querySelector("#cut [data-at]");
  if (!told || form.querySelector("[name=wish]:checked")?.value === "eye") return;
  range.value = told.dataset.at;
  drawLine();
});

drawLine();

// --- Doubts ---

const rows = () => [...(doubts?.querySelectorAll("[data-doubt]") ?? [])];
const here = () => document.activeElement?.closest("[data-doubt]");

function goTo(row) {
  row?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
  return Boolean(row);
}

/** Go to another answer. Outside the list the arrows scroll, as everywhere. */
function move(step) {
  if (!here()) return false;
  const all = rows();
  return goTo(all[all.indexOf(here()) + step]) || true;
}

function say(verdict) {
  const row = here() ?? rows().find((one) => !one.matches(".settled"));
  if (!row || document.activeElement?.closest("#wish-form")) return false;
  row.focus({ preventScroll: true });
  row.querySelector(`[value=${verdict}]`).click();
  return true;
}

if (doubts) {
  onKey("ArrowDown", () => move(1));
  onKey("ArrowUp", () => move(-1));
  onKey("y", () => say("yes"));
  onKey("n", () => say("no"));
}

// A settled answer stays in its place, and the focus goes to the next open one.
doubts?.addEventListener("htmx:beforeSwap", (event) => {
  const place = rows().indexOf(event.detail.target);
  if (!event.detail.target.contains(document.activeElement)) return;
  doubts.addEventListener(
    "htmx:afterSwap",
    () => goTo(rows().slice(place).find((row) => !row.matches(".settled")) ?? rows()[place]),
    { once: true },
  );
});
