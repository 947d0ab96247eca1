// The box that sorts the library at once. It asks after a pause or on Enter, never twice for the
// same, and writes what was asked into the address.

import { ask, NoAnswer } from "clipsite/base/ask";
import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

const PAUSE = 700; // ms
// Longer questions are asked, but not written into the address.
const LONGEST = 2000;

const form = /** @type {HTMLFormElement} */ (document.getElementById("sort-box"));
const shown = document.getElementById("sorted");
const status = document.getElementById("sort-status");
const busy = document.getElementById("sort-busy");

const token = JSON.parse(document.body.getAttribute("hx-headers"));

const query = () => new URLSearchParams(/** @type {any} */ (new FormData(form))).toString();

// What failed may be asked for again.
let asked = shown.querySelector("[role=alert]") ? "" : query();
let timer = 0;
/** @type {AbortController | null} */
let waiting = null;

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(sort, PAUSE);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  sort();
});

function addressOf(wanted) {
  const page = form.getAttribute("action");
  return wanted.length > LONGEST ? page : `${page}?${wanted}`;
}

async function sort() {
  clearTimeout(timer);
  const wanted = query();
  if (wanted === asked) return;
  asked = wanted;
  waiting?.abort();
  const mine = new AbortController();
  waiting = mine;
  busy.hidden = false;
  try {
    const answer = await ask(form.dataset.part, {
      method: "POST",
      headers: { ...token, "HX-Request": "true" },
      body: new URLSearchParams(wanted),
      signal: mine.signal,
    });
    shown.innerHTML = answer.text;
    status.textContent = shown.querySelector("[data-sorted]")?.textContent ?? "";
    if (!answer.ok) asked = "";
    else history.replaceState(history.state, "", addressOf(wanted));
  } catch (error) {
    if (error.name === "AbortError") return;
    if (!(error instanceof NoAnswer)) throw error;
    asked = "";
    toast(message("network"));
  }
  busy.hidden = true;
}
