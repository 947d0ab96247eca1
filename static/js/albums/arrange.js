// Ordering an album by hand: dragging, or picking a picture up (click, Enter, Space) and moving it
// (click on another one, arrow keys). Each move is saved.

import { sortable } from "clipsite/albums/drag";
import { onKey } from "clipsite/base/keyboard";
import { fill } from "clipsite/base/messages";
import { call, told } from "clipsite/select/api";

const list = document.getElementById("arrange");
const live = document.getElementById("arrange-live");
const { move, texts } = JSON.parse(document.getElementById("arranging").textContent);
document.getElementById("needs-scripts").remove();

const items = () => [...list.querySelectorAll(":scope > li")];
const itemOf = (element) => element?.closest?.("#arrange > li");
const buttonOf = (item) => item.querySelector("button");

// The picked-up item, and the item that followed it.
let lifted = null;
let home = null;

function lift(item) {
  lifted = item;
  home = item.nextElementSibling;
  item.classList.add("lifted");
  buttonOf(item).setAttribute("aria-pressed", "true");
  say(texts.lifted, item);
}

function putDown() {
  const item = lifted;
  item.classList.remove("lifted");
  buttonOf(item).setAttribute("aria-pressed", "false");
  lifted = null;
  if (item.nextElementSibling !== home) save(item, home);
  else say(texts.dropped, item);
}

function giveUp() {
  const item = lifted;
  list.insertBefore(item, home);
  putDown();
  buttonOf(item).focus();
}

/** Save the new place. If the server refuses it, the picture returns to before `former`. */
async function save(item, former) {
  const before = item.nextElementSibling?.dataset.id ?? list.dataset.beyond ?? null;
  const saved = await told(() => call("POST", move, { ids: [item.dataset.id], before }));
  if (saved) return say(texts.dropped, item);
  list.insertBefore(item, former);
  return null;
}

function say(text, item) {
  const all = items();
  const place = all.indexOf(item) + 1;
  live.textContent = fill(text, { name: buttonOf(item).getAttribute("aria-label"), place, count: all.length });
}

// --- Clicks: pick up, place before another ---

list.addEventListener("click", (event) => {
  const item = itemOf(event.target);
  if (!item) return;
  if (!lifted) return lift(item);
  if (item !== lifted) {
    const forward = items().indexOf(lifted) < items().indexOf(item);
    list.insertBefore(lifted, forward ? item.nextElementSibling : item);
  }
  putDown();
});

// --- Keys ---

function carry(item, index) {
  const all = items().filter((one) => one !== item);
  list.insertBefore(item, all[index] ?? null);
  buttonOf(item).focus();
  item.scrollIntoView({ block: "nearest" });
  say(texts.moved, item);
}

function inARow() {
  const all = items();
  const second = all.findIndex((item) => item.offsetTop > all[0].offsetTop);
  return second < 0 ? all.length : second;
}

const STEPS = {
  ArrowLeft: () => -1,
  ArrowRight: () => 1,
  ArrowUp: () => -inARow(),
  ArrowDown: inARow,
  Home: () => -Infinity,
  End: () => Infinity,
};

const stepBy = (key) => () => {
  const item = lifted ?? itemOf(document.activeElement);
  if (!item) return false;
  const all = items();
  const index = Math.min(Math.max(all.indexOf(item) + STEPS[key](), 0), all.length - 1);
  if (lifted) carry(item, index);
  else buttonOf(all[index]).focus();
  return true;
};

for (const key of Object.keys(STEPS)) onKey(key, stepBy(key));
onKey("Escape", () => {
  if (!lifted) return false;
  giveUp();
  return true;
});

sortable(list, {
  begin: () => lifted && giveUp(),
  dropped: (item, former) => save(item, former),
});
