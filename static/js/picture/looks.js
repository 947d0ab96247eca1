// Turning and cropping the picture of the viewer, and its stars. Each change goes to the API at
// once and can be undone.

import { onKey } from "clipsite/base/keyboard";
import { fill } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";
import { askForEdit } from "clipsite/picture/editor";
import { call, told } from "clipsite/select/api";

/** Shows the picture as it looks now; the page of the viewer gives it. */
let refresh = async () => {};

/** @param {() => Promise<void>} again */
export function listenForLooks(again) {
  refresh = again;
}

const entry = () => /** @type {HTMLElement | null} */ (document.querySelector("[data-turn-crop]"));
const texts = () => document.getElementById("editor").dataset;

/** Say what was done, with its undo. */
async function changed(text, undo) {
  await refresh();
  const takeBack = () =>
    told(async () => {
      await call("POST", undo);
      await refresh();
      toast(texts().undone);
    });
  toast(text, undo && takeBack);
}

async function edit() {
  const { api, src, recipe } = entry().dataset;
  const answer = await askForEdit({ api, src, recipe: JSON.parse(recipe) });
  // The entry is in a menu that is shut.
  /** @type {HTMLElement | null} */ (document.querySelector("[data-control=more]"))?.focus();
  if (answer?.undo) await changed(texts().saved, answer.undo);
}

// Pressed twice, it turns twice: one request after the other.
let turning = Promise.resolve(true);

/** Turn the picture by quarters to the right. Returns true if it is the user's own. */
function turn(quarters) {
  if (!entry()) return false;
  const { id } = entry().dataset;
  turning = turning.then(() =>
    told(async () => {
      const body = { selection: { ids: [id] }, action: "rotate", turns: quarters };
      const { undo } = await call("POST", texts().bulk, body);
      await changed(texts().turned, undo);
    }),
  );
  return true;
}

// --- Stars ----------------------------------------------------------------------------

const stars = () => /** @type {HTMLElement | null} */ (document.querySelector("[data-stars]"));

/** Give the picture so many stars. Returns true if it is the user's own. */
function rate(rating) {
  const group = stars();
  if (!group) return false;
  told(async () => {
    await call("PATCH", group.dataset.api, { rating });
    show(group, rating);
    document.getElementById("shown").textContent = rating
      ? fill(group.dataset.given, { count: rating })
      : group.dataset.taken;
  });
  return true;
}

function show(group, rating) {
  group.dataset.stars = rating;
  for (const button of group.querySelectorAll("[data-rate]")) {
    const value = Number(button.dataset.rate);
    button.setAttribute("aria-pressed", String(value === rating));
    button.classList.toggle("on", value <= rating);
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-turn-crop]")) edit();
  const quarters = event.target.closest("[data-turn]")?.dataset.turn;
  if (quarters) turn(Number(quarters));
  const star = event.target.closest("[data-rate]");
  if (!star) return;
  const value = Number(star.dataset.rate);
  rate(value === Number(stars().dataset.stars) ? 0 : value);
});

const once = (act) => ({ repeat }) => !repeat && act();

onKey("r", once(() => turn(1)));
onKey("R", once(() => turn(-1)));
for (let count = 1; count <= 5; count += 1) onKey(String(count), once(() => rate(count)));

/** The key 0 shows the whole picture again, or else takes the stars away. */
export const takeStars = () => rate(0);
