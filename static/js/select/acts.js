// An action on all selected pictures, and its effect on the page.

import { call, told } from "clipsite/select/api";
import { goOnWith, notice, reloadWith } from "clipsite/select/notices";
import { clear, list, loadedCount, selection } from "clipsite/select/selection";
import { config, counted, texts } from "clipsite/select/texts";

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

/** Run an action. Resolves to whether it succeeded. */
export function act(action, parameters = {}) {
  return told(async () => {
    const spec = selection.spec;
    const answer = await call("POST", config.bulk, { selection: spec, action, ...parameters });
    show(action, answer, spec.ids ?? null);
  });
}

function show(action, { changed, skipped, undo }, ids) {
  const said = { text: sentence(action, changed, skipped), undo };
  clear();
  if (list.dataset.next) return goOnWith(said, list.dataset.next);
  if (changed && LEAVES[action]?.includes(list.dataset.place)) {
    // Only the server knows the skipped pictures and those that are not loaded here.
    if (skipped || !ids) return reloadWith(said);
    remove(ids);
    if (!loadedCount()) return reloadWith(said);
  }
  notice(said);
}

function sentence(action, changed, skipped) {
  if (!changed && !skipped) return texts.unchanged;
  return [
    changed ? counted(texts.done[action], changed) : "",
    skipped ? counted(texts.skipped, skipped) : "",
  ].join(" ");
}

function remove(ids) {
  const grids = list.matches("[data-grid]") ? [list] : list.querySelectorAll("[data-grid]");
  for (const grid of grids) grid.dispatchEvent(new CustomEvent("grid:removed", { detail: { ids } }));
}
