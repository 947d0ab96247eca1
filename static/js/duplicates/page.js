// The review of near-duplicates: keys, and the current group. htmx sends the actions on a group,
// and the server answers with its replacement.

import { onKey } from "clipsite/base/keyboard";

const area = document.getElementById("duplicate-groups");

const groups = () => [...(area?.querySelectorAll("[data-group]") ?? [])];
const isOpenGroup = (group) => !("settled" in group.dataset);

/** Return the group with the focus, or else the first visible one. */
function atHand() {
  const focused = document.activeElement?.closest("[data-group]");
  return focused ?? groups().find((group) => group.getBoundingClientRect().bottom > 120);
}

function goTo(group) {
  if (!group) return false;
  group.focus({ preventScroll: true });
  group.scrollIntoView({ block: "start", behavior: "instant" });
  return true;
}

function move(step) {
  const all = groups();
  const here = all.indexOf(document.activeElement?.closest("[data-group]"));
  // No group has the focus yet: the first step leads to the visible one.
  if (here < 0) return goTo(atHand());
  return goTo(all[here + step]) || true;
}

function press(selector) {
  const button = atHand()?.querySelector(selector);
  button?.click();
  return Boolean(button);
}

function choose(number) {
  const choice = atHand()?.querySelectorAll("input[name=keep]")[number - 1];
  if (!choice) return false;
  choice.checked = true;
  goTo(choice.closest("[data-group]"));
  return true;
}

/** Merge the group, except if a link or a button has the focus: Enter activates these. */
function merge() {
  return !document.activeElement?.closest("a, button, summary") && press("button[name=merge]");
}

/** Undo the last action, wherever the focus is now. */
function takeBack() {
  const undos = area?.querySelectorAll("[data-undo]") ?? [];
  const last = document.getElementById("last-settled")?.querySelector("[data-undo]");
  (last ?? undos[undos.length - 1])?.click();
  return undos.length > 0;
}

if (area) {
  onKey("ArrowDown", () => move(1));
  onKey("ArrowUp", () => move(-1));
  onKey("Enter", merge);
  onKey("x", () => press("[data-dismiss]"));
  onKey("c", () => press("[data-compare]"));
  onKey("z", takeBack);
  for (let number = 1; number <= 9; number += 1) onKey(String(number), () => choose(number));
}

// The current group is done or restored: the focus goes to the next open group, or stays on the
// restored one.
area?.addEventListener("htmx:beforeSwap", (event) => {
  const group = event.detail.target;
  if (!group.matches?.("[data-group]")) return;
  const undone = "settled" in group.dataset;
  if (!undone && !group.contains(document.activeElement)) return;
  const place = groups().indexOf(group);
  area.addEventListener("htmx:afterSwap", () => arrive(place, undone), { once: true });
});

function arrive(place, undone) {
  const all = groups();
  document.getElementById("last-settled")?.removeAttribute("id");
  if (undone) return goTo(all[place]);
  if (all[place] && !isOpenGroup(all[place])) all[place].id = "last-settled";
  return goTo(all.slice(place).find(isOpenGroup) ?? all[place]);
}
