// Dialogs whose content is fetched when they open.

/**
 * Fetch the content of the dialog `id` from `address`; its heading is `${id}-title`. Resolves to the
 * dialog, to be shown, or to null: it is open or fetched already, or nothing came and the page has
 * shown the error.
 */
export async function fetchDialog(id, address) {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById(id) ?? makeDialog(id));
  if (dialog.open || dialog.ariaBusy) return null;
  dialog.replaceChildren();
  dialog.ariaBusy = "true";
  // Without a source of its own, htmx would put this behind other requests and resolve at once.
  const fetched = htmx.ajax("GET", address, { source: dialog, target: dialog, swap: "innerHTML" });
  // Without an answer it rejects, and base/htmx-hooks has told the user.
  await fetched.catch(() => {});
  dialog.ariaBusy = null;
  return dialog.hasChildNodes() ? dialog : null;
}

function makeDialog(id) {
  const dialog = document.createElement("dialog");
  dialog.id = id;
  dialog.setAttribute("aria-labelledby", `${id}-title`);
  document.body.append(dialog);
  return dialog;
}
