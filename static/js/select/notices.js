// Toasts with an undo, and toasts that appear after a page load.

import { call, told } from "clipsite/select/api";
import { counted, texts } from "clipsite/select/texts";
import { toast } from "clipsite/base/toast";
import { allGrids, firstSeen, focusPicture } from "clipsite/grid/virtual";

const KEY = "notice";
// Until screen readers know the page, they do not hear what changes on it, in milliseconds.
const UNHEARD = 300;

/** For `back` of a notice: only the server knows how the page looked. */
export const RELOAD = "reload";

/**
 * Show a toast. `undo` is the address that undoes the action, and `open` that of a page that shows
 * its effect, under `name`; each may be missing. `back()` shows the page as before the action; it
 * is missing if the page did not change.
 * @param {{ text: string, undo?: string | null, open?: string | null, name?: string,
 *   back?: (() => void) | "reload" | null }} said
 */
export function notice({ text, undo, open, name = texts.open, back }) {
  const link = open ? { label: name, href: open } : null;
  toast(text, undo ? () => takeBack(undo, back) : null, link);
}

/** Reload the page and show the toast there. */
export function reloadWith(said) {
  keep(said);
  location.reload();
}

/** Open another page and show the toast there. */
export function goOnWith(said, address) {
  keep(said);
  location.assign(address);
}

function keep(said) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...said, back: RELOAD }));
  } catch {
    // Storage is forbidden: the page itself shows the change.
  }
}

function takeBack(undo, back) {
  return told(async () => {
    const { restored } = await call("POST", undo);
    const said = { text: counted(texts.undone, restored), undo: null };
    if (back === RELOAD) return reloadWith(said);
    back?.();
    notice(said);
  });
}

/** Show the toast that the previous page has stored. */
export function sayKept() {
  const kept = takeKept();
  if (!kept) return;
  if (kept.focus) focusAgain(kept.focus);
  setTimeout(() => notice(kept), UNHEARD);
}

/** The page is drawn anew: focus picture `id` of the list again or, if it has left this part, the
 *  first one in view, so that the keyboard goes on in the grid. */
function focusAgain(id) {
  // Wait until the rows are laid out: a moved element loses the focus.
  requestAnimationFrame(() => requestAnimationFrame(() => {
    const grid = allGrids().find(({ chunks }) => chunks.ids.includes(id));
    if (grid) return focusPicture(grid, grid.chunks.ids.indexOf(id));
    const seen = firstSeen();
    if (seen) focusPicture(seen.grid, seen.grid.chunks.startOf(seen.chunk) + seen.offset);
  }));
}

function takeKept() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY));
    sessionStorage.removeItem(KEY);
    return kept;
  } catch {
    return null; // storage is forbidden or has data of another version
  }
}
