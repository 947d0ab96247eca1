// The keyboard is never dropped. What has the focus may be taken away: a picture that is
// trashed, a row that is erased, a bar or a dialog that closes, a button that is done with.
// Then the focus goes to what stands in its place: the same picture drawn anew, the next
// one, the next row, the picture before the bar was used; at last, to the page itself.

import { linkOf } from "clipsite/grid/tile-elements";

const FOCUSABLE = "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex]";
const WATCHED = ["hidden", "open", "disabled"];

let last = null; // where the focus is, or was when it was taken away
let lastTile = null; // on which picture it was before

const isThere = (element) => element.isConnected && !element.matches(":disabled") && element.checkVisibility();
const first = (area) => [...area.querySelectorAll(FOCUSABLE)].find(isThere);

/** Address of the picture that the keyboard is or was on, if it is anywhere. */
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

// Left on purpose (Escape, a click beside it): nothing is to be made up for.
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  if (relatedTarget) return;
  setTimeout(() => {
    if (last?.element === target && isThere(target) && document.activeElement !== target) last = null;
  });
});

new MutationObserver(() => {
  // Grids draw at once or at the next frame.
  if (last && !isThere(last.element)) requestAnimationFrame(() => requestAnimationFrame(goOn));
}).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: WATCHED });
