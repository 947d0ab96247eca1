// Shows and hides the near-duplicates behind a result.

import { NoAnswer } from "clipsite/base/ask";
import { fetchTiles } from "clipsite/grid/chunks";
import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";
import { knownIds } from "clipsite/grid/virtual";

const list = document.querySelector("[data-folded]");
const opened = new Map(); // id of a result -> ids of the pictures inserted behind it

const buttonOf = (id) => list.querySelector(`li.tile[data-id="${id}"] [data-similar]`);

async function toggle(button) {
  const { id } = button.closest("li.tile").dataset;
  if (isOpen(id)) close(id);
  else await open(id, button.dataset.similar.split(" "));
  buttonOf(id)?.focus({ preventScroll: true });
}

async function open(id, ids) {
  const known = new Set(knownIds(list));
  const asked = new URLSearchParams(ids.filter((one) => !known.has(one)).map((one) => ["id", one]));
  const { tiles } = await fetchTiles(`${list.dataset.folded}?${asked}`);
  tiles.forEach((tile) => tile.classList.add("folded"));
  opened.set(id, tiles.map((tile) => tile.dataset.id));
  list.dispatchEvent(new CustomEvent("grid:inserted", { detail: { after: id, tiles } }));
}

function close(id) {
  const ids = opened.get(id);
  opened.delete(id);
  list.dispatchEvent(new CustomEvent("grid:removed", { detail: { ids } }));
}

/** Whether near-duplicates are shown. A part of the grid that was dropped returns without them. */
function isOpen(id) {
  const known = opened.has(id) ? knownIds(list) : [];
  return (opened.get(id) ?? []).some((one) => known.includes(one));
}

function tellState(tile) {
  const button = tile.querySelector("[data-similar]");
  button?.setAttribute("aria-expanded", String(isOpen(tile.dataset.id)));
}

if (list) {
  list.addEventListener("grid:rendered", ({ detail }) => detail.tiles.forEach(tellState));
  list.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-similar]");
    if (!button) return;
    try {
      await toggle(button);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      toast(message("network"));
    }
  });
}
