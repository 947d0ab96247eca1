// Toasts that offer an undo, and toasts that outlive the page.

import { call, told } from "clipsite/select/api";
import { counted, texts } from "clipsite/select/texts";
import { toast } from "clipsite/base/toast";

const KEY = "notice";

/** `undo` is the address that takes it back, or null. */
export function notice({ text, undo }) {
  toast(text, undo ? { label: texts.undo, run: () => takeBack(undo) } : null);
}

/** Load the page again and say it there. */
export function reloadWith(said) {
  keep(said);
  location.reload();
}

/** Go to another page and say it there. */
export function goOnWith(said, address) {
  keep(said);
  location.assign(address);
}

function keep(said) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(said));
  } catch {
    // Storage is forbidden: the page itself shows what has changed.
  }
}

function takeBack(undo) {
  return told(async () => {
    const { restored } = await call("POST", undo);
    reloadWith({ text: counted(texts.undone, restored), undo: null });
  });
}

/** Say what the page before this one left to say. */
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
    return null; // storage is forbidden, or holds what another version wrote
  }
}
