// The filter panel. Its fields are in the page or are loaded when the panel opens.

const panel = document.getElementById("filters");
if (panel) {
  begin();
  panel.addEventListener("htmx:load", begin);
  // On a return, the browser may show the page as it was left, with disabled fields.
  window.addEventListener("pageshow", () => enable(panel));
}

function begin() {
  const form = panel.querySelector("form");
  if (!form || "begun" in form.dataset) return;
  form.dataset.begun = "";
  sendWhatIsFilledIn(form);
  offerAnyColour(form.querySelector(".colour-choices"));
  offerUsualSizes(form.querySelector(".size-choices"));
}

// Leave empty fields out of the address, so that people can read it.
function sendWhatIsFilledIn(form) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) field.disabled = field.name !== "" && !field.value;
  });
}

function enable(fields) {
  for (const field of fields.querySelectorAll(":disabled")) field.disabled = false;
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
  });
}

function choice(blank, colour) {
  const made = blank.content.cloneNode(true);
  made.querySelector("input").value = colour;
  made.querySelector("span").textContent = colour;
  made.querySelector(".swatch").style.setProperty("--swatch", colour);
  return made;
}

// The buttons fill in the numbers. A second press clears them.
function offerUsualSizes(sizes) {
  const [least, most] = sizes.querySelectorAll("input");
  const buttons = [...sizes.querySelectorAll("button")];
  const isChosen = (button) =>
    button.dataset.sizeMin === least.value && button.dataset.sizeMax === most.value;
  const show = () => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(isChosen(button)));
  };
  sizes.querySelector(".usual-sizes").hidden = false;
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const chosen = isChosen(button);
      least.value = chosen ? "" : button.dataset.sizeMin;
      most.value = chosen ? "" : button.dataset.sizeMax;
      show();
      // The count listens to change events, and a script's changes do not send them.
      least.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
  sizes.addEventListener("input", show);
  show();
}

// A picture cannot have a category and be without it.
panel?.addEventListener("change", ({ target }) => {
  const both = target.checked && target.closest("[data-facet]")?.querySelectorAll("input");
  for (const other of both || []) if (other !== target) other.checked = false;
});

// A click elsewhere, or Esc, closes the panel.
document.addEventListener("click", (event) => {
  if (panel?.open && !panel.contains(event.target)) panel.open = false;
});
panel?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  panel.open = false;
  panel.querySelector("summary").focus();
});
