// The keys of all pages. Pages add their own keys with `onKey`.

import { moveInGrid } from "clipsite/grid/keyboard";
import { toggleTheme } from "clipsite/base/theme-toggle";
import { undoNewest } from "clipsite/base/toast";

const own = new Map();
const SWITCH = "single-keys";
const box = document.querySelector("#keys [name=single_keys]");

// Shortcuts of single letters disturb some users, for example with speech input. They can be off.
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

/** Add a key. `handler` gets the event and returns true if it has handled the key. */
export function onKey(key, handler) {
  own.set(key, handler);
}

const isField = (element) =>
  element?.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");

const isOpen = () => document.querySelector("dialog[open], [popover]:popover-open");

function focusSearch() {
  const field = document.querySelector(".search input[type=search]");
  // It is in view, in a header that stays there.
  field?.focus({ preventScroll: Boolean(field.closest(".header")) });
  field?.select();
  return Boolean(field);
}

const leaveAny = () => document.activeElement instanceof HTMLElement && document.activeElement.blur();

/** Leave a field and keep its text. Browsers would clear a search field. */
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
  if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  if (event.key.toLowerCase() !== "z" || isField(event.target)) return;
  if (!document.querySelector("dialog:modal") && undoNewest()) event.preventDefault();
});

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
