// Toasts with an undo, and toasts that appear after a page load.

import { call, told } from "clipsite/select/api";
import { counted, texts } from "clipsite/select/texts";
import { toast } from "clipsite/base/toast";

const KEY = "notice";

/**
 * Show a toast. `undo` is the address that undoes the action, and `open` that of a page that shows
 * its effect; each may be missing.
 */
export function notice({ text, undo, open }) {
  const link = open ? { label: texts.open, href: open } : null;
  toast(text, undo ? { label: texts.undo, run: () => takeBack(undo) } : null, link);
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
    sessionStorage.setItem(KEY, JSON.stringify(said));
  } catch {
    // Storage is forbidden: the page itself shows the change.
  }
}

function takeBack(undo) {
  return told(async () => {
    const { restored } = await call("POST", undo);
    reloadWith({ text: counted(texts.undone, restored), undo: null });
  });
}

/** Show the toast that the previous page has stored. */
export function sayKept() {
  const kept = takeKept();
  if (kept) notice(kept);
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
