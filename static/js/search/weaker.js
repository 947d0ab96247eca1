// The weak matches behind the button below the good ones.

import { linkOf } from "clipsite/grid/tile-elements";
import { selection } from "clipsite/select/selection";

const list = /** @type {HTMLElement | null} */ (document.querySelector("[data-place=search]"));
let isFolded = true;
let isAsked = false; // whether the button was pressed

/** Let "all pictures" mean what is shown: nobody selects what is folded away.
 * @param {number} count */
function selectAtMost(count) {
  selection.source.search.count = Math.min(Math.max(count, 1), Number(list.dataset.most));
}

/** @param {Event} event */
function unfold(event) {
  const button = /** @type {HTMLElement} */ (event.target).closest("[data-folds] a");
  if (!button) return;
  event.preventDefault();
  isAsked = true;
  button.closest("li").dispatchEvent(new CustomEvent("unfold"));
}

/** Weak matches are shown: as asked for, or again after a return to the page. The focus goes to the
 *  first of them, unless it has gone to another picture meanwhile.
 * @param {HTMLElement} first */
function shown(first) {
  isFolded = false;
  selectAtMost(Infinity);
  if (isAsked && !document.activeElement?.closest("li.tile")) linkOf(first).focus({ preventScroll: true });
}

if (list) {
  list.addEventListener("click", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) unfold(event);
  });
  list.addEventListener("keydown", (event) => {
    if (event.key === " ") unfold(event);
  });
  list.addEventListener("grid:rendered", (event) => {
    const { tiles } = /** @type {CustomEvent} */ (event).detail;
    const weak = isFolded && tiles.find((tile) => tile.dataset.section === "weak");
    if (weak) shown(weak);
  });
  // The number of good matches may come after the page.
  document.addEventListener("htmx:afterSettle", () => {
    const told = /** @type {HTMLElement | null} */ (document.querySelector("[data-matches]"));
    if (told && isFolded) selectAtMost(Number(told.dataset.matches));
  });
}
