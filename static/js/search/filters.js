// The filters: a sheet at the side of the window, on small screens at its foot. It is a popover, so
// that it opens and closes without scripts. Its fields are in the page or are loaded when it opens.

const panel = document.getElementById("filters");

if (panel) {
  begin();
  panel.addEventListener("htmx:load", begin);
  // The space around a sheet at the foot belongs to it, so that a tap there presses nothing else.
  panel.addEventListener("click", ({ target }) => target === panel && panel.hidePopover());
  // On a return, the browser may show the page as it was left, with disabled fields.
  addEventListener("pageshow", () => enable(panel));
  const isPart = !panel.popover; // of the page, and open
  if (isPart) {
    panel.popover = "auto";
    panel.showPopover();
  }
}

function begin() {
  const form = panel.querySelector("form");
  if (!form || "begun" in form.dataset) return;
  form.dataset.begun = "";
  form.addEventListener("submit", sendWhatIsFilledIn);
  form.addEventListener("keydown", stayInUnsent);
  offerAnyColour(form.querySelector(".dots"));
  form.querySelectorAll("[data-range]").forEach(offerUsual);
  form.querySelector("[data-dates]").addEventListener("input", oneWayToSayDates);
}

// A span and both ends exclude each other: the last one that is chosen stays.
function oneWayToSayDates({ target, currentTarget }) {
  if (!target.value) return;
  for (const field of currentTarget.querySelectorAll("select, input")) {
    if ((field.name === "on") !== (target.name === "on")) field.value = "";
  }
}

// Leave empty fields out of the address, so that people can read it, and those that only look for
// choices.
function sendWhatIsFilledIn(event) {
  const form = event.target;
  for (const field of form.elements) {
    field.disabled = field.name !== "" && (!field.value || "unsent" in field.dataset);
  }
  if (!history.state?.over) return;
  // The result takes the place of the sheet's entry in the history (base/back).
  event.preventDefault();
  location.replace(`${form.action}?${new URLSearchParams(/** @type {any} */ (new FormData(form)))}`);
}

/** Enter in a field that looks for choices does not close the sheet. */
function stayInUnsent(event) {
  if (event.key === "Enter" && "unsent" in event.target.dataset) event.preventDefault();
}

function enable(fields) {
  for (const field of fields.querySelectorAll(":disabled")) field.disabled = false;
}

/** Send the events of a change by hand: counts listen to them. */
function announce(field) {
  for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
}

// A picked colour becomes another choice and is sent like the others.
function offerAnyColour(choices) {
  const any = choices.querySelector("[data-any-colour]");
  const blank = choices.parentElement.querySelector("[data-colour-choice]");
  any.hidden = false;
  any.querySelector("input").addEventListener("change", ({ target }) => {
    const known = choices.querySelector(`input[name=color][value="${target.value}"]`);
    if (known) known.checked = true;
    else any.before(choice(blank, target.value));
    announce(choices);
  });
}

function choice(blank, colour) {
  const made = blank.content.cloneNode(true);
  made.querySelector("label").title = colour;
  made.querySelector("input").value = colour;
  made.querySelector("span").textContent = colour;
  made.querySelector(".swatch").style.setProperty("--swatch", colour);
  return made;
}

// The buttons fill in both ends of a range. A second press clears them.
function offerUsual(range) {
  const [first, last] = range.querySelectorAll("input");
  const buttons = [...range.querySelectorAll("button")];
  const isChosen = ({ dataset }) => dataset.first === first.value && dataset.last === last.value;
  const show = () => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(isChosen(button)));
  };
  range.querySelector(".range-usual").hidden = false;
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const chosen = isChosen(button);
      first.value = chosen ? "" : button.dataset.first;
      last.value = chosen ? "" : button.dataset.last;
      announce(first);
    });
  }
  range.addEventListener("input", show);
  show();
}

// A picture cannot have a category and be without it.
panel?.addEventListener("change", ({ target }) => {
  const both = target.checked && target.closest("[data-facet]")?.querySelectorAll("input");
  for (const other of both || []) if (other !== target) other.checked = false;
});
