// The sharing dialog of an album or a picture.

import "clipsite/sharing/copy";

function makeDialog() {
  const dialog = document.createElement("dialog");
  dialog.id = "share";
  dialog.setAttribute("aria-labelledby", "share-title");
  document.body.append(dialog);
  return dialog;
}

async function open(button) {
  const address = button.dataset.share;
  const dialog = document.getElementById("share") ?? makeDialog();
  await htmx.ajax("GET", address, { target: dialog, swap: "innerHTML" });
  if (!dialog.hasChildNodes() || dialog.open) return;
  // The dialog returns the focus to where it was. Opened by a key, it may have been nowhere.
  if (document.activeElement === document.body) button.focus({ preventScroll: true });
  dialog.showModal();
}

// A plain click opens the dialog. Other clicks open its page.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-share]");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(button);
});
