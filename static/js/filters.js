// The filter form sends only what is filled in, so that its address can be read.

for (const form of document.querySelectorAll(".filter-form")) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) field.disabled = field.name !== "" && !field.value;
  });
  // Coming back here, the page may be as it was left.
  window.addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
}

// A click elsewhere, or Esc, closes the panel.
const panel = document.getElementById("filters");
document.addEventListener("click", (event) => {
  if (panel?.open && !panel.contains(event.target)) panel.open = false;
});
panel?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  panel.open = false;
  panel.querySelector("summary").focus();
});
