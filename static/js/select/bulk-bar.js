// The bar of what can be done with the selection.

import { fill } from "clipsite/base/messages";
import { call, told } from "clipsite/select/api";
import { act } from "clipsite/select/acts";
import { openDialog } from "clipsite/select/dialogs";
import { sayKept } from "clipsite/select/notices";
import {
  begin,
  clear,
  list,
  loadedCount,
  onChange,
  selection,
  selectLoaded,
  selectWhole,
} from "clipsite/select/selection";
import { MOST } from "clipsite/select/state";
import { config, texts } from "clipsite/select/texts";
import { toast } from "clipsite/base/toast";

const bar = document.getElementById("bulk-bar");
const live = document.getElementById("bulk-live");
const part = (name) => bar.querySelector(`[data-${name}]`);

// How many the whole list holds: asked for whenever choosing begins.
let total = null;

function update() {
  const { active, count } = selection;
  bar.hidden = !active;
  if (!active) document.getElementById("bulk-more").hidePopover();
  const line = fill(selection.whole ? texts.wholeSelected : texts.selected, { count });
  part("count").textContent = active ? line : "";
  live.textContent = active && count ? line : "";
  for (const button of bar.querySelectorAll("[data-act], [data-dialog], [data-more]")) {
    button.disabled = !count;
  }
  for (const button of bar.querySelectorAll("[data-single]")) {
    button.disabled = count !== 1 || selection.whole;
  }
  offerWhole();
}

/** All that the list holds, where that is more than what is chosen. */
function offerWhole() {
  const button = part("whole");
  if (!selection.active) total = null;
  else if (total === null && selection.count) askTotal();
  button.hidden = selection.whole || !selection.count || !(total > selection.count);
  if (!button.hidden) button.textContent = fill(texts.selectWhole, { count: total });
}

function askTotal() {
  total = 0; // on its way
  return told(async () => {
    ({ count: total } = await call("POST", config.count, { selection: selection.source }));
    update();
  });
}

/** Ctrl-A is all that the list holds, and not what of it has been loaded by chance: the
 *  server says how much that is. */
async function selectByKey(event) {
  const wanted = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a";
  const elsewhere = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
  if (!wanted || elsewhere || !loadedCount()) return;
  event.preventDefault();
  if (selection.whole && selection.count === total) return;
  begin();
  const known = await askTotal();
  if (known && total > Math.min(loadedCount(), MOST)) selectWhole(total);
  else selectLoaded();
}

function run(button) {
  document.getElementById("bulk-more").hidePopover();
  if (button.dataset.dialog) return openDialog(button.dataset.dialog);
  if ("cover" in button.dataset) return makeCover();
  return act(button.dataset.act, parameters(button));
}

function makeCover() {
  const [cover] = selection.spec.ids;
  return told(async () => {
    await call("PATCH", `${config.albums}${list.dataset.album}/`, { cover });
    clear();
    toast(texts.newCover);
  });
}

const parameters = ({ dataset }) => (dataset.album ? { album: dataset.album } : {});

sayKept();
if (list) {
  onChange(update);
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act], [data-dialog], [data-cover]");
    if (button) run(button);
  });
  document.addEventListener("keydown", selectByKey);
  part("clear").addEventListener("click", clear);
  part("whole").addEventListener("click", () => selectWhole(total));
  // Where there is nothing else to do.
  if (list.dataset.place === "picker") begin();
  for (const button of document.querySelectorAll("[data-begin-selection]")) {
    button.hidden = false;
    button.addEventListener("click", () => (selection.active ? clear() : begin()));
  }
}
