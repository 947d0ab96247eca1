// The parts of the query as fields. Each change is sent, and the server answers with the page of
// the new query. The focus returns to the same field.

import { askForPart, readBox, writeBox } from "clipsite/composer/crop";

const FOCUS = "composer-focus";
const KNOWN = "composer-parts";
const PATIENCE = 500; // ms after the last move of a slider
const KEY_STEP = 0.1;

const form = document.getElementById("composer");
let timer;

function send() {
  clearTimeout(timer);
  form.requestSubmit();
}

/** Move a slider by tenths with the keyboard, though it can hold finer weights. */
function slide(event) {
  const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
  if (!step || event.target.type !== "range") return;
  event.preventDefault();
  event.target.value = Number(event.target.value) + step * KEY_STEP;
  tell(event.target);
  rest();
}

function rest() {
  clearTimeout(timer);
  timer = setTimeout(send, PATIENCE);
}

/** Show a slider's weight as a number. */
function tell(slider) {
  const weight = Number(slider.value).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 });
  slider.closest(".part").querySelector("output").value = `×${weight}`;
  slider.setAttribute("aria-valuetext", `×${weight}`);
}

async function crop(button) {
  const part = button.closest(".part");
  const field = part.querySelector("[name=crop]");
  const box = await askForPart(button.dataset.crop, readBox(field.value));
  if (box === null) return;
  field.value = writeBox(box);
  send();
}

// --- State kept across page loads -------------------------------------------------

function noteFocus() {
  const field = /** @type {HTMLInputElement | null} */ (document.activeElement);
  if (!form.contains(field) || !field.name) return;
  const alike = [...form.querySelectorAll(`[name="${field.name}"]`)];
  sessionStorage.setItem(FOCUS, JSON.stringify([field.name, alike.indexOf(field)]));
}

function restoreFocus() {
  const noted = JSON.parse(sessionStorage.getItem(FOCUS));
  sessionStorage.removeItem(FOCUS);
  if (!noted) return;
  const [name, index] = noted;
  const alike = [...form.querySelectorAll(`[name="${name}"]`)];
  (alike[index] ?? alike.at(-1) ?? form.elements.add).focus({ preventScroll: true });
}

/** Highlight parts that the previous query did not have. */
function pointOut() {
  const parts = [...form.querySelectorAll("[data-part]")];
  const before = JSON.parse(sessionStorage.getItem(KNOWN)) ?? [];
  sessionStorage.setItem(KNOWN, JSON.stringify(parts.map(({ dataset }) => dataset.part)));
  if (!before.length) return;
  for (const part of parts) part.classList.toggle("fresh", !before.includes(part.dataset.part));
}

if (form) {
  form.addEventListener("change", ({ target }) => {
    if (target.type === "range") rest();
    else if (target.name !== "add") send(); // "add" waits for Enter or for another change
  });
  form.addEventListener("input", ({ target }) => target.type === "range" && tell(target));
  form.addEventListener("keydown", slide);
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-crop]");
    if (button) crop(button);
  });
  form.addEventListener("submit", () => {
    noteFocus();
    form.setAttribute("aria-busy", "true");
  });
  form.querySelectorAll("[data-scripted]").forEach((element) => (element.hidden = false));
  restoreFocus();
  pointOut();
  // On a return, the browser may show the page in the state in which it was left.
  window.addEventListener("pageshow", ({ persisted }) => {
    form.removeAttribute("aria-busy");
    if (!persisted) return;
    form.reset();
    form.querySelectorAll("[type=range]").forEach(tell);
  });
}
