// "More like this" and "less like this" on every result: by a click, the menu of a selected one, or
// the keys + and - on the focused picture. The server makes the new query; "back" leads to the old
// one.

import { onKey } from "clipsite/base/keyboard";
import { fill } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";
import { focusPicture, gridOf, knownIds } from "clipsite/grid/virtual";
import { selection } from "clipsite/select/selection";

const NOTE = "refined";

const form = document.getElementById("refine");
const list = document.querySelector("[data-place=search]");
const menu = document.getElementById("refine-menu");

function refine(tile, way) {
  refineBy(tile.dataset.id, tile.querySelector("img").alt, way);
}

function refineBy(id, name, way) {
  sessionStorage.setItem(NOTE, JSON.stringify({ id, text: fill(form.dataset[way], { name }) }));
  for (const field of ["more", "less"]) form.elements[field].disabled = field !== way;
  form.elements[way].value = id;
  form.submit();
}

/** After a refinement, show a notice with a way back. The focus goes to the same picture, or to the
 *  first one if that picture is not loaded. */
function sayRefined() {
  const noted = JSON.parse(sessionStorage.getItem(NOTE));
  sessionStorage.removeItem(NOTE);
  if (!noted) return;
  toast(noted.text, () => history.back());
  const at = Math.max(knownIds(list).indexOf(noted.id), 0);
  // Wait until the rows are laid out: a moved element loses the focus.
  requestAnimationFrame(() => requestAnimationFrame(() => focusPicture(gridOf(list), at)));
}

function equip(tile) {
  if (tile.querySelector(".tile-tools")) return;
  tile.append(document.getElementById("tile-tools").content.cloneNode(true));
  const name = tile.querySelector("img")?.alt ?? "";
  for (const button of tile.querySelectorAll(".tile-tools button")) {
    button.setAttribute("aria-label", fill(button.dataset.label, { name }));
  }
}

/** Open the menu beside its button, within the window. */
function openMenu(button) {
  menu.dataset.id = button.closest("li.tile").dataset.id;
  menu.showPopover();
  const { right, bottom, top } = button.getBoundingClientRect();
  const { offsetWidth, offsetHeight } = menu;
  const below = bottom + offsetHeight + 8 < window.innerHeight;
  menu.style.left = `${Math.max(8, right - offsetWidth)}px`;
  menu.style.top = `${below ? bottom + 4 : Math.max(8, top - offsetHeight - 4)}px`;
  menu.querySelector("button").focus();
}

const byKey = (way) => () => {
  const tile = document.activeElement?.matches("a[data-tile]") && document.activeElement.closest("li.tile");
  if (!tile || document.body.classList.contains("selecting")) return false;
  refine(tile, way);
  return true;
};

if (form && list) {
  sayRefined();
  list.querySelectorAll("li.tile").forEach(equip);
  list.addEventListener("grid:rendered", ({ detail }) => detail.tiles.forEach(equip));
  list.addEventListener("click", (event) => {
    const button = event.target.closest(".tile-tools button");
    if (!button) return;
    if ("menu" in button.dataset) openMenu(button);
    else refine(button.closest("li.tile"), button.dataset.refine);
  });
  menu.addEventListener("click", (event) => {
    const button = event.target.closest("[data-refine]");
    const tile = list.querySelector(`li.tile[data-id="${menu.dataset.id}"]`);
    if (button && tile) refine(tile, button.dataset.refine);
  });
  // The one selected picture, in the menu of the selection (templates/gallery/bulk_bar.html).
  document.getElementById("bulk-more")?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-refine]");
    if (!button) return;
    const [id] = selection.spec.ids;
    const name = list.querySelector(`li.tile[data-id="${id}"] img`)?.alt ?? "…";
    refineBy(id, name, button.dataset.refine);
  });
  // The menu does not move with its button, so scrolling closes it.
  window.addEventListener("scroll", () => menu.matches(":popover-open") && menu.hidePopover(), { passive: true });
  onKey("+", byKey("more"));
  onKey("=", byKey("more"));
  onKey("-", byKey("less"));
}
