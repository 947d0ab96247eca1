// The dialog that shares the selected pictures, with people and groups or by a link.

import { notice } from "clipsite/select/notices";
import { clear, selection } from "clipsite/select/selection";
import { counted, pageOf, texts } from "clipsite/select/texts";
import "clipsite/sharing/copy";
import { share, tell, told } from "clipsite/sharing/people";

const dialog = document.getElementById("bulk-share");
const form = dialog.querySelector("form");
const made = dialog.querySelector("[data-made]");

/** Show the empty form, in the dialog that opens. */
export function beginSharing() {
  form.hidden = false;
  made.hidden = true;
  tell(form, "");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
  const answer = await share(form, selection.spec, button?.value === "link");
  if (answer) done(answer);
});

function done({ album, shared_with, count, skipped, link, undo }) {
  const text = [
    shared_with.length ? told(form, shared_with) : counted(texts.sharedThem, count),
    skipped ? counted(texts.notShared, skipped) : "",
  ].join(" ");
  // An open dialog covers the notices.
  dialog.addEventListener("close", () => notice({ text, undo, open: pageOf(album.id) }), { once: true });
  clear();
  if (link) showLink(link, album);
  else dialog.close();
}

function showLink(address, album) {
  form.hidden = true;
  made.hidden = false;
  made.querySelector("input").value = address;
  made.querySelector("[data-settings]").href = `${pageOf(album.id)}sharing/`;
  const copy = made.querySelector("[data-copy-link]");
  copy.dataset.copyLink = address;
  copy.focus();
}
