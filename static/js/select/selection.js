// Selecting pictures in the list of a page, by click, shift-click, long press or keys. The list is
// the element with `data-selection`, which describes its pictures to the server. Tiles appear and
// disappear (clipsite/grid/virtual), so new ones get their marks again.

import { moveInGrid } from "clipsite/grid/keyboard";
import { onKey } from "clipsite/base/keyboard";
import { fill } from "clipsite/base/messages";
import { onLongPress } from "clipsite/select/long-press";
import { MOST, Selection } from "clipsite/select/state";
import { canSelect, texts } from "clipsite/select/texts";
import { toast } from "clipsite/base/toast";
import { linkOf } from "clipsite/grid/tile-elements";
import { knownIds } from "clipsite/grid/virtual";

export const list = canSelect ? document.querySelector("[data-selection]") : null;
export const selection = new Selection(JSON.parse(list?.dataset.selection ?? "null"));

const tiles = () => [...list.querySelectorAll("li[data-id]")];
const loadedIds = () => knownIds(list);

export const loadedCount = () => loadedIds().length;

const listeners = [];
// The start of a range, and the selection before the range.
let anchor = null;
let drawn = { ids: [], before: new Map() };

export const isSelected = (id) => selection.has(id);

/** The server counts what Ctrl-A selects. @type {Promise<void> | null} */
let counting = null;

/** @param {Promise<void>} made resolves when all of a list are selected */
export function selecting(made) {
  const mine = made.finally(() => {
    if (counting === mine) counting = null;
  });
  counting = mine;
}

/** Run `work()` for what is selected. A key that is pressed while the server counts waits for it.
 *  Returns whether something is, or is about to be, selected. */
export function withSelection(work) {
  if (selection.count) work();
  else if (counting) counting.then(() => selection.count && work());
  else return false;
  return true;
}

/** Call `listener()` after every change. */
export function onChange(listener) {
  listeners.push(listener);
}

export function clear() {
  selection.clear();
  forgetRange();
  changed();
}

/** Start an empty selection: clicks now select pictures instead of opening them. */
export function begin() {
  selection.active = true;
  changed();
}

export function selectWhole(total) {
  selection.selectWhole(total);
  forgetRange();
  changed();
}

/** Select all loaded pictures one by one. The list must be loaded to its end. */
export function selectLoaded() {
  setAll(loadedIds(), true);
  changed();
}

/** Select or deselect several loaded pictures. */
export function setMany(ids, on) {
  forgetRange();
  setAll(ids, on);
  changed();
}

function setAll(ids, on) {
  const refused = ids.filter((id) => !selection.set(id, on));
  if (refused.length) toast(fill(texts.most, { most: MOST }));
}

function toggle(id) {
  forgetRange();
  setAll([id], !selection.has(id));
  anchor = id;
  changed();
}

/** Replace the previous range by the one from the anchor to `id`. */
function extendTo(id) {
  const ids = loadedIds();
  const from = ids.indexOf(anchor);
  if (from < 0) return toggle(id);
  for (const known of drawn.ids) selection.set(known, drawn.before.get(known));
  const [first, last] = [from, ids.indexOf(id)].sort((a, b) => a - b);
  const range = ids.slice(first, last + 1);
  drawn = { ids: range, before: new Map(range.map((one) => [one, selection.has(one)])) };
  setAll(range, true);
  changed();
}

function forgetRange() {
  anchor = null;
  drawn = { ids: [], before: new Map() };
}

function changed() {
  const begins = selection.active && !document.body.classList.contains("selecting");
  document.body.classList.toggle("selecting", selection.active);
  // The bar that appears must not cover the picture with the focus.
  if (begins) focusedTile()?.scrollIntoView({ block: "nearest", behavior: "instant" });
  tiles().forEach(mark);
  for (const listener of listeners) listener();
}

// --- Tiles ---

function dress(tile) {
  if (!tile.querySelector("[data-check]")) {
    const check = document.createElement("button");
    check.type = "button";
    check.className = "tile-check";
    check.dataset.check = "";
    check.tabIndex = -1; // the picture itself handles the keys
    check.setAttribute("role", "checkbox");
    const name = tile.querySelector("img")?.alt ?? "";
    check.setAttribute("aria-label", fill(texts.check, { name }));
    tile.append(check);
  }
  mark(tile);
}

function mark(tile) {
  const on = selection.has(tile.dataset.id);
  tile.classList.toggle("selected", on);
  tile.querySelector("[data-check]")?.setAttribute("aria-checked", String(on));
}

const tileOf = (element) => element?.closest?.("[data-selection] li[data-id]");

const focusedTile = () =>
  document.activeElement?.matches("a[data-tile]") ? tileOf(document.activeElement) : null;

// --- Pointer ---

function click(event) {
  const tile = tileOf(event.target);
  if (!tile || event.ctrlKey || event.metaKey || event.button) return;
  const check = event.target.closest("[data-check]");
  const opens = event.target.closest("a[data-tile]");
  if (!check && !(opens && (selection.active || event.shiftKey))) return;
  event.preventDefault();
  event.stopPropagation(); // the picture is not opened, so it must not be stored as opened
  if (event.shiftKey) extendTo(tile.dataset.id);
  else toggle(tile.dataset.id);
}

// --- Keys ---

function toggleFocused() {
  const tile = focusedTile();
  if (tile) toggle(tile.dataset.id);
  return Boolean(tile);
}

const extendBy = (key) => (event) => {
  const start = event.shiftKey && focusedTile();
  if (!start) return false;
  if (!anchor) toggle(start.dataset.id);
  moveInGrid(key);
  extendTo((focusedTile() ?? start).dataset.id);
  return true;
};

function leave() {
  const wasActive = selection.active;
  if (wasActive) clear();
  return wasActive;
}

if (list) {
  document.addEventListener("click", click, true);
  document.addEventListener("grid:rendered", (event) => event.detail.tiles.filter(tileOf).forEach(dress));
  onLongPress(list, "li[data-id]", {
    pressed(tile) {
      toggle(tile.dataset.id);
      // The grid keeps the element with the focus, and the browser ends a touch without its element.
      linkOf(tile).focus({ preventScroll: true });
    },
    dragged: (tile) => extendTo(tile.dataset.id),
  });
  onKey("x", toggleFocused);
  onKey(" ", toggleFocused);
  onKey("Escape", leave);
  for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) onKey(key, extendBy(key));
  tiles().forEach(dress);
}
