// The bar with the actions on the selection.

import { fill } from "clipsite/base/messages";
import { call, told } from "clipsite/select/api";
import { act } from "clipsite/select/acts";
import "clipsite/select/details";
import { openDialog } from "clipsite/select/dialogs";
import "clipsite/select/groups";
import { reloadWith, sayKept } from "clipsite/select/notices";
import {
  begin,
  clear,
  list,
  loadedCount,
  onChange,
  selecting,
  selection,
  selectLoaded,
  selectWhole,
  withSelection,
} from "clipsite/select/selection";
import { MOST } from "clipsite/select/state";
import { config, texts } from "clipsite/select/texts";
import { onKey } from "clipsite/base/keyboard";
import { toast } from "clipsite/base/toast";

const bar = document.getElementById("bulk-bar");
const live = document.getElementById("bulk-live");
const part = (name) => bar.querySelector(`[data-${name}]`);

// The number of pictures in the whole list. It is requested at the start of each selection.
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

/** Offer to select the whole list if it has more pictures than are selected. */
function offerWhole() {
  const button = part("whole");
  if (!selection.active) total = null;
  else if (total === null && selection.count) askTotal();
  button.hidden = selection.whole || !selection.count || !(total > selection.count);
  if (!button.hidden) button.textContent = fill(texts.selectWhole, { count: total });
}

function askTotal() {
  total = 0; // the request is running
  return told(async () => {
    ({ count: total } = await call("POST", config.count, { selection: selection.source }));
    update();
  });
}

/** Ctrl-A selects the whole list and not only the loaded part. The server counts it. */
function selectByKey(event) {
  const wanted = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a";
  const elsewhere = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
  if (!wanted || elsewhere || !loadedCount()) return;
  event.preventDefault();
  if (selection.whole && selection.count === total) return;
  begin();
  selecting(selectAll());
}

async function selectAll() {
  const known = await askTotal();
  if (known && total > Math.min(loadedCount(), MOST)) selectWhole(total);
  else selectLoaded();
}

function run(button) {
  document.getElementById("bulk-more").hidePopover();
  if (button.dataset.dialog) return openDialog(button.dataset.dialog);
  if ("cover" in button.dataset) return makeCover();
  if ("portrait" in button.dataset) return makePortrait();
  return act(button.dataset.act, parameters(button));
}

/** Let the keys that buttons of the bar name press them from anywhere: the same keys as in the
 *  viewer. */
function listenForKeys() {
  // Yes and no have the same keys without a selection (clipsite/labels/category).
  for (const button of bar.querySelectorAll("[aria-keyshortcuts]:not([data-say])")) {
    const key = button.getAttribute("aria-keyshortcuts").replace("Shift+", "");
    onKey(key, onSelection(() => run(button)));
  }
  if (!bar.querySelector("[data-dialog=rate]")) return;
  for (let rating = 0; rating <= 5; rating += 1) {
    onKey(String(rating), onSelection(() => act("rate", { rating })));
  }
}

/** A key of the bar does nothing while nothing is selected. */
const onSelection = (work) => ({ repeat }) => withSelection(() => repeat || work());

function makeCover() {
  const [cover] = selection.spec.ids;
  return told(async () => {
    await call("PATCH", `${config.albums}${list.dataset.album}/`, { cover });
    clear();
    toast(texts.newCover);
  });
}

function makePortrait() {
  const [image] = selection.spec.ids;
  return told(async () => {
    await call("PUT", config.portrait, { image });
    reloadWith({ text: texts.newPortrait });
  });
}

function parameters({ dataset }) {
  return {
    ...(dataset.album && { album: dataset.album }),
    ...(dataset.turns && { turns: Number(dataset.turns) }),
  };
}

sayKept();
if (list) {
  onChange(update);
  bar.addEventListener("click", (event) => {
    const button = event.target.closest("[data-act], [data-dialog], [data-cover], [data-portrait]");
    if (button) run(button);
  });
  // Notices and what has the focus stay above the bar, which may have two lines (css/bulk.css).
  new ResizeObserver(() => {
    const { style } = document.documentElement;
    if (!bar.hidden) style.setProperty("--bulk-height", `${bar.offsetHeight}px`);
  }).observe(bar);
  document.addEventListener("keydown", selectByKey);
  listenForKeys();
  part("clear").addEventListener("click", clear);
  part("whole").addEventListener("click", () => selectWhole(total));
  // In the picker, selecting is the only action.
  if (list.dataset.place === "picker") begin();
  for (const button of document.querySelectorAll("[data-begin-selection]")) {
    button.hidden = false;
    button.addEventListener("click", () => (selection.active ? clear() : begin()));
  }
}
