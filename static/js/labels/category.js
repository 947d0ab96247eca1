// Saying yes or no to the pictures of a category: by buttons on each tile, or by keys; to selected
// ones all at once. A no takes the pictures out of the grid. Tiles appear and disappear
// (clipsite/grid/virtual), so new ones get their buttons again.

import { onKey } from "clipsite/base/keyboard";
import { fill } from "clipsite/base/messages";
import { moveInGrid } from "clipsite/grid/keyboard";
import { call, told } from "clipsite/select/api";
import { takeOut } from "clipsite/grid/virtual";
import { notice, RELOAD } from "clipsite/select/notices";
import { toast } from "clipsite/base/toast";
import { clear, onChange, selection, withSelection } from "clipsite/select/selection";
import { counted } from "clipsite/select/texts";

const { address, category, own, texts } = JSON.parse(document.getElementById("answering").textContent);
const grid = document.querySelector("[data-grid]");

/** The pictures that were said to be of the category on this page. @type {Set<string>} */
const confirmed = new Set();

const tileOf = (element) => element?.closest?.("[data-grid] li[data-id]");
const mayAnswer = (tile) => !own || "owned" in tile.dataset;

function dress(tile) {
  if (!mayAnswer(tile) || tile.querySelector("[data-verdict]")) return;
  const name = tile.querySelector("img")?.alt ?? "";
  const box = document.createElement("span");
  box.className = "tile-verdict";
  box.append(button("yes", "✓", name), button("no", "✗", name));
  tile.append(box);
  if (confirmed.has(tile.dataset.id)) mark(tile);
}

function button(verdict, sign, name) {
  const made = document.createElement("button");
  made.type = "button";
  made.dataset.verdict = verdict;
  made.textContent = sign;
  made.tabIndex = -1; // until its picture has the focus
  made.setAttribute("aria-label", fill(texts[verdict], { name }));
  return made;
}

function mark(tile) {
  tile.classList.add("confirmed");
  const note = tile.querySelector(".tile-note");
  if (note) note.textContent = texts.said;
}

/** `stored()` is called as soon as the server has the answers.
 *  @param {string[]} images @param {boolean} verdict */
function answer(images, verdict, stored = () => {}) {
  return told(async () => {
    const answers = images.map((image) => ({ image, category, verdict }));
    const { undo } = await call("POST", address, { answers });
    stored();
    const text = counted(verdict ? texts.saidYes : texts.saidNo, images.length);
    if (!verdict) return say({ text, undo, back: takeOut(grid, images) });
    say({ text, undo, back: RELOAD });
    for (const image of images) confirmed.add(image);
    grid.querySelectorAll("li[data-id]").forEach((tile) => confirmed.has(tile.dataset.id) && mark(tile));
  });
}

/** What is refused, such as the pictures of others in a set of the site, stays selected. */
function answerSelected(verdict) {
  if (selection.whole) return toast(texts.most); // the server knows them, this page does not
  return answer(selection.spec.ids, verdict, clear);
}

/** Show a toast in place of the former answer's: many answers in a row would cover the page. */
function say(said) {
  for (const former of document.querySelectorAll(".toast.of-verdict")) former.remove();
  notice(said);
  document.querySelector("#toasts .toast:last-child").classList.add("of-verdict");
}

const byKey = (verdict) => ({ repeat }) => {
  if (selection.active) {
    withSelection(() => repeat || answerSelected(verdict));
    return true;
  }
  const tile = document.activeElement?.matches("a[data-tile]") ? tileOf(document.activeElement) : null;
  if (!tile || !mayAnswer(tile)) return false;
  // The next picture gets the focus before this one goes.
  moveInGrid("ArrowRight");
  answer([tile.dataset.id], verdict);
  return true;
};

/** Tab reaches the buttons of the picture that has the focus, and no others. */
function letTabReach(tile) {
  for (const one of grid.querySelectorAll("[data-verdict]")) one.tabIndex = tileOf(one) === tile ? 0 : -1;
}

if (grid) {
  grid.addEventListener("focusin", (event) => letTabReach(tileOf(event.target)));
  document.addEventListener("click", (event) => {
    const pressed = event.target.closest("[data-verdict]");
    if (!pressed) return;
    event.preventDefault();
    event.stopPropagation();
    answer([tileOf(pressed).dataset.id], pressed.dataset.verdict === "yes");
  }, true);
  for (const button of document.querySelectorAll("#bulk-bar [data-say]")) {
    button.addEventListener("click", () => answerSelected(button.dataset.say === "yes"));
    onChange(() => (button.disabled = !selection.count));
  }
  document.addEventListener("grid:rendered", (event) => event.detail.tiles.filter(tileOf).forEach(dress));
  onKey("y", byKey(true));
  onKey("n", byKey(false));
  grid.querySelectorAll("li[data-id]").forEach(dress);
  for (const help of document.querySelectorAll("[data-verdict-help]")) help.hidden = false;
}
