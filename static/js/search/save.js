// "Save" asks for a name in a dialog instead of on a page of its own.

import { fetchDialog } from "clipsite/base/fetched-dialog";

async function ask(address) {
  const dialog = await fetchDialog("save-search", address);
  dialog?.showModal();
  dialog?.querySelector("input[name=name]")?.select();
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
