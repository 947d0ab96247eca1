// Dialogs that give many pictures a date, a title or stars.

import { actAndClose } from "clipsite/select/dialogs";

const dialog = (name) => document.getElementById(`bulk-${name}`);

function say(opened, problem) {
  const line = opened.querySelector("[data-problem]");
  line.textContent = problem ?? "";
  line.hidden = !problem;
}

// --- Date ---

const SECONDS = { days: 86_400, hours: 3_600, minutes: 60 };

const date = dialog("date");
const dateForm = date.querySelector("form");

function showWay() {
  for (const part of dateForm.querySelectorAll("[data-way]")) {
    part.disabled = part.dataset.way !== dateForm.elements.way.value;
    part.hidden = part.disabled;
  }
  say(date, null);
}

date.addEventListener("opened", showWay);
dateForm.addEventListener("change", (event) => {
  if (event.target.name === "way") showWay();
});

/** Return the seconds of the typed shift; null if a field holds no whole number. */
function shift() {
  const { elements } = dateForm;
  let seconds = 0;
  for (const [name, one] of Object.entries(SECONDS)) {
    const value = elements[name].value.trim() || "0";
    if (!/^\d{1,6}$/.test(value)) return null;
    seconds += Number(value) * one;
  }
  return elements.direction.value === "earlier" ? -seconds : seconds;
}

dateForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const { elements } = dateForm;
  if (elements.way.value === "set") {
    const [day, time] = [elements.on.value, elements.at.value];
    if (!day) return say(date, date.dataset.noDate);
    return actAndClose(date, "set_date", time ? { captured_at: `${day}T${time}` } : { captured_on: day });
  }
  const seconds = shift();
  if (!seconds) return say(date, date.dataset.noShift);
  actAndClose(date, "shift_date", { shift: seconds });
});

// --- Title ---

dialog("title").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  actAndClose(dialog("title"), "set_title", { title: event.target.elements.title.value });
});

// --- Stars ---

dialog("rate").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
  if (button) actAndClose(dialog("rate"), "rate", { rating: Number(button.value) });
});
