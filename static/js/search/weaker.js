// The weak matches behind the button below the good ones.

import { linkOf } from "clipsite/grid/tile-elements";
import { selection } from "clipsite/select/selection";

const list = /** @type {HTMLElement | null} */ (document.querySelector("[data-place=search]"));
let isFolded = true;

/** Let "all pictures" mean what is shown: nobody selects what is folded away.
 * @param {number} count */
function selectAtMost(count) {
  selection.source.search.count = Math.min(Math.max(count, 1), Number(list.dataset.most));
}

/** Show the weak matches. The focus goes to the first of them, unless it has gone on meanwhile.
 * @param {HTMLElement} loader */
function unfold(loader) {
  list.addEventListener("grid:rendered", focusWeak);
  loader.dispatchEvent(new CustomEvent("unfold"));
}

/** @param {Event} event */
function focusWeak(event) {
  const { tiles } = /** @type {CustomEvent} */ (event).detail;
  const weak = tiles.find((tile) => tile.dataset.section === "weak");
  if (!weak) return;
  list.removeEventListener("grid:rendered", focusWeak);
  unfolded();
  const isElsewhere = document.activeElement?.closest("li.tile");
  if (!isElsewhere) linkOf(weak).focus({ preventScroll: true });
}

function unfolded() {
  isFolded = false;
  selectAtMost(Infinity);
}

if (list) {
  list.addEventListener("click", (event) => {
    const link = /** @type {HTMLElement} */ (event.target).closest("[data-folds] a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    unfold(link.closest("li"));
  });
  list.addEventListener("keydown", (event) => {
    const button = event.key === " " && /** @type {HTMLElement} */ (event.target).closest("[data-folds] a");
    if (!button) return;
    event.preventDefault();
    unfold(button.closest("li"));
  });
  // A return to the page shows them again.
  list.addEventListener("grid:unfolded", unfolded);
  // The number of good matches may come after the page.
  document.addEventListener("htmx:afterSettle", () => {
    const told = /** @type {HTMLElement | null} */ (document.querySelector("[data-matches]"));
    if (told && isFolded) selectAtMost(Number(told.dataset.matches));
  });
}
