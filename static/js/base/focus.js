// Keeps the keyboard's focus on the page. The focused element may disappear: a trashed picture, an
// erased row, a closed bar or dialog, a disabled button. The focus then goes to its successor: the
// same picture drawn anew, the next picture or row, the last focused picture, the first one, or
// else the content.

import { linkOf } from "clipsite/grid/tile-elements";

const FOCUSABLE = "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex]";
const WATCHED = ["hidden", "open", "disabled"];

let last = null; // the place of the focus, or of its lost element
let lastTile = null; // the place of the last focused picture

const isThere = (element) => element.isConnected && !element.matches(":disabled") && element.checkVisibility();
const first = (area) => [...area.querySelectorAll(FOCUSABLE)].find(isThere);

/** Return the address of the last focused picture, or null if nothing has the focus. */
export const lastPicture = () => last && (lastTile?.element.getAttribute("href") ?? null);

function spotOf(element) {
  const item = element.closest("li");
  if (!item) return { element };
  const place = Number(item.getAttribute("aria-posinset")) - 1;
  return {
    element,
    list: item.parentElement,
    id: item.dataset.id,
    place: place >= 0 ? place : [...item.parentElement.children].indexOf(item),
  };
}

function successor({ list, id, place }) {
  if (!list?.isConnected) return null;
  const items = [...list.children].filter((item) => item.matches("li") && item.checkVisibility());
  const tiles = items.filter((item) => item.dataset.id);
  if (!tiles.length) return items.length ? first(items[Math.min(place, items.length - 1)]) : null;
  const inPlace = (tile) => Number(tile.getAttribute("aria-posinset")) === place + 1;
  return linkOf(tiles.find((tile) => id && tile.dataset.id === id) ?? tiles.find(inPlace) ?? tiles.at(-1));
}

function goOn() {
  const active = document.activeElement;
  if (!last || isThere(last.element) || (active && active !== document.body && isThere(active))) return;
  const dialog = [...document.querySelectorAll("dialog:modal")].at(-1);
  const picture = document.querySelector("[data-grid] a[data-tile]");
  const target = dialog
    ? first(dialog)
    : (successor(last) ?? (lastTile && successor(lastTile)) ?? picture ?? document.getElementById("content"));
  target?.focus({ preventScroll: true });
}

document.addEventListener("focusin", ({ target }) => {
  last = spotOf(target);
  const tile = target.closest("li.tile");
  if (tile) lastTile = { ...last, element: linkOf(tile) };
});

// If the user leaves the element on purpose (Escape, a click beside it), the focus is not restored.
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (relatedTarget) return;
  setTimeout(() => {
    if (last?.element === target && isThere(target) && document.activeElement !== target) last = null;
  });
});

new MutationObserver(() => {
  // Grids draw at once or in the next frame.
  if (last && !isThere(last.element)) requestAnimationFrame(() => requestAnimationFrame(goOn));
}).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: WATCHED });
