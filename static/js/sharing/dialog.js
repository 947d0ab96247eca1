// The sharing dialog of an album or a picture, and copying of links.

import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

function makeDialog() {
  const dialog = document.createElement("dialog");
  dialog.id = "share";
  dialog.setAttribute("aria-labelledby", "share-title");
  document.body.append(dialog);
  return dialog;
}

async function open(address) {
  const dialog = document.getElementById("share") ?? makeDialog();
  await htmx.ajax("GET", address, { target: dialog, swap: "innerHTML" });
  if (dialog.hasChildNodes() && !dialog.open) dialog.showModal();
}

// A plain click opens the dialog. Other clicks open its page.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-share]");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(button.dataset.share);
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-link]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copyLink);
    toast(message("copied"));
  } catch {
    // Not allowed or not over HTTPS: the user can copy the address by hand.
    const field = button.parentElement.querySelector("input");
    field.focus();
    field.select();
  }
});
