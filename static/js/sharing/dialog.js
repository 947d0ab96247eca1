// The sharing dialog of an album or a picture.

import { fetchDialog } from "clipsite/base/fetched-dialog";
import { toast } from "clipsite/base/toast";
import { call, told as problemsTold } from "clipsite/select/api";
import "clipsite/sharing/copy";
import { share, told } from "clipsite/sharing/people";

async function open(button) {
  const dialog = await fetchDialog("share", button.dataset.share);
  // The dialog returns the focus to where it was. Opened by a key, it may have been nowhere.
  if (document.activeElement === document.body) button.focus({ preventScroll: true });
  dialog?.showModal();
}

// The form for people, in the dialog of a picture. (Albums have forms of their own; that of a
// selection is in clipsite/select/share.)
document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-share-people][data-image]");
  if (!form) return;
  event.preventDefault();
  const answer = await share(form, { ids: [form.dataset.image] });
  if (answer) showShared(form, answer);
});

function showShared(form, { shared_with, undo }) {
  const dialog = form.closest("dialog");
  // An open dialog covers the notices; the page without one shows the people anew.
  if (dialog) dialog.close();
  else showAgain();
  toast(told(form, shared_with), undo && (() => takeBack(undo)));
  document.dispatchEvent(new CustomEvent("sharing:changed"));
}

function showAgain() {
  htmx.ajax("GET", location.pathname, { target: "#share-panel", swap: "outerHTML" });
}

const takeBack = (address) => problemsTold(async () => {
  await call("POST", address);
  if (!document.querySelector("dialog #share-panel")) showAgain();
  document.dispatchEvent(new CustomEvent("sharing:changed"));
});

// A plain click opens the dialog. Other clicks open its page.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-share]");
  if (!button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(button);
});
