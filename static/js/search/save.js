// "Save" asks for a name in a dialog instead of on a page of its own.

function makeDialog() {
  const dialog = document.createElement("dialog");
  dialog.id = "save-search";
  dialog.setAttribute("aria-labelledby", "save-search-title");
  document.body.append(dialog);
  return dialog;
}

async function ask(address) {
  const dialog = document.getElementById("save-search") ?? makeDialog();
  dialog.replaceChildren();
  // Without a source of its own, htmx would wait for other requests, and this would go on at once.
  await htmx.ajax("GET", address, { source: dialog, target: dialog, swap: "innerHTML" });
  // Without an answer, the page has shown an error already.
  if (!dialog.hasChildNodes() || dialog.open) return;
  dialog.showModal();
  dialog.querySelector("input[name=name]")?.select();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-save-search]");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  ask(button.href);
});

// Focus the field of the name in the dialog, also after a refusal.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "save-search") return;
  event.detail.target.querySelector("[aria-invalid=true], [autofocus]")?.focus();
});
