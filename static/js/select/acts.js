// An action on all selected pictures, and its effect on the page.

import { call, told } from "clipsite/select/api";
import { goOnWith, notice, reloadWith } from "clipsite/select/notices";
import { clear, list, loadedCount, selection } from "clipsite/select/selection";
import { takeOut } from "clipsite/grid/virtual";
import { config, counted, pageOf, pageOfDays, texts } from "clipsite/select/texts";

// The lists that pictures leave, by action.
const LEAVES = {
  archive: ["home", "timeline"],
  unarchive: ["archive"],
  unfavourite: ["favourites"],
  remove_from_album: ["album"],
  trash: ["home", "timeline", "search", "album", "archive", "favourites", "category"],
  restore: ["trash"],
  purge: ["trash"],
};

// After these, tiles look otherwise or stand elsewhere.
const REDRAWN = ["rotate", "to_original", "set_title", "set_date", "shift_date"];

// Actions run in the order in which they were chosen: of two ratings, the last one counts.
let last = Promise.resolve();

/**
 * Run an action. `album`, {id, title}, is the album that the notice names and opens. Resolves to
 * whether it succeeded.
 */
export function act(action, parameters = {}, album = null) {
  const spec = selection.spec;
  const mine = last.then(() => told(async () => {
    const answer = await call("POST", config.bulk, { selection: spec, action, ...parameters });
    show(action, answer, spec.ids ?? null, album);
  }));
  last = mine.then(() => {});
  return mine;
}

function show(action, { changed, skipped, undo, days }, ids, album) {
  const text = sentence(action, changed, skipped, album);
  const said = { text, undo, open: album && pageOf(album.id), back: null };
  clear();
  if (list.dataset.next) return goOnWith(said, list.dataset.next);
  if (changed && LEAVES[action]?.includes(list.dataset.place)) {
    // Only the server knows the skipped pictures and those that are not loaded here.
    if (skipped || !ids) return reloadWith(said);
    said.back = takeOut(list, ids);
    if (!loadedCount()) return reloadWith(said);
  }
  if (changed && REDRAWN.includes(action)) {
    return reloadWith({ ...said, ...(days && { open: pageOfDays(days), name: texts.show }), focus: ids?.[0] ?? null });
  }
  notice(said);
}

function sentence(action, changed, skipped, album) {
  if (!changed && !skipped) return texts.unchanged;
  const forms = album ? texts.addedTo : texts.done[action];
  return [
    changed ? counted(forms, changed, { album: album?.title }) : "",
    skipped ? counted(texts.skipped, skipped) : "",
  ].join(" ");
}
