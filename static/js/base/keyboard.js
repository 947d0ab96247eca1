// The keys of every page. A page with its own adds them with `onKey`.

import { moveInGrid } from "clipsite/grid/keyboard";
import { toggleTheme } from "clipsite/base/theme-toggle";

const own = new Map();
const SWITCH = "single-keys";
const box = document.querySelector("#keys [name=single_keys]");

// Letters alone are in the way of some (speech input, for one): they can be off.
box.checked = kept() !== "off";
box.addEventListener("change", () => keep(box.checked ? "on" : "off"));

function kept() {
  try {
    return localStorage.getItem(SWITCH);
  } catch {
    return null; // storage is forbidden
  }
}

function keep(value) {
  try {
    localStorage.setItem(SWITCH, value);
  } catch {
    // Storage is forbidden: the choice lasts for this page.
  }
}

/** `handler` gets the event and returns true if it used the key up. */
export function onKey(key, handler) {
  own.set(key, handler);
}

const isField = (element) =>
  element?.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

const isOpen = () => document.querySelector("dialog[open], [popover]:popover-open");

function focusSearch() {
  const field = document.querySelector(".search input[type=search]");
  field?.focus();
  field?.select();
  return Boolean(field);
}

const leaveAny = () => document.activeElement instanceof HTMLElement && document.activeElement.blur();

/** The field keeps what was typed: a browser would empty one for searching. */
function leave(event) {
  if (event.target.type === "search") event.preventDefault();
  event.target.blur();
}

function showKeys() {
  document.getElementById("menu")?.hidePopover();
  document.getElementById("keys").showModal();
  return true;
}

const common = {
  "/": focusSearch,
  "?": showKeys,
  t: () => (toggleTheme(), true),
  ArrowLeft: () => moveInGrid("ArrowLeft"),
  ArrowRight: () => moveInGrid("ArrowRight"),
  ArrowUp: () => document.activeElement?.matches("a[data-tile]") && moveInGrid("ArrowUp"),
  ArrowDown: () => document.activeElement?.matches("a[data-tile]") && moveInGrid("ArrowDown"),
  Escape: () => (leaveAny(), false),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isOpen()) return;
  if (isField(event.target)) {
    if (event.key === "Escape") leave(event);
    return;
  }
  if (event.key.length === 1 && !box.checked) return;
  const used = own.get(event.key)?.(event) || common[event.key]?.(event);
  if (used) event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-show-keys]")) showKeys();
});
