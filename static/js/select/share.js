// The dialog that shares the selected pictures, with people and groups or by a link.

import { call, Problem } from "clipsite/select/api";
import { notice } from "clipsite/select/notices";
import { clear, selection } from "clipsite/select/selection";
import { config, counted, pageOf, texts } from "clipsite/select/texts";
import "clipsite/sharing/copy";

const dialog = document.getElementById("bulk-share");
const form = dialog.querySelector("form");
const made = dialog.querySelector("[data-made]");
const problem = dialog.querySelector("[data-problem]");

/** Show the empty form, in the dialog that opens. */
export function beginSharing() {
  form.hidden = false;
  made.hidden = true;
  tell("");
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const button = /** @type {HTMLButtonElement | null} */ (event.submitter);
  share(chosen(button?.value === "link"));
});

/** What the form asks for. A link is made alone: it is for nobody in particular. */
function chosen(link) {
  const data = new FormData(form);
  const title = String(data.get("title")).trim();
  if (link) return { title, link, users: [], groups: [] };
  const typed = String(data.get("user")).split(/[,，、\s]+/);
  const users = [...new Set([...data.getAll("users"), ...typed].filter(Boolean))];
  return { title, link, users, groups: data.getAll("groups") };
}

async function share(wanted) {
  if (!wanted.link && !wanted.users.length && !wanted.groups.length) return tell(texts.nobody);
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    done(await call("POST", config.share, { selection: selection.spec, ...wanted }));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    tell(error.message);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

function done({ album, count, skipped, link, undo }) {
  const text = [
    counted(texts.sharedThem, count),
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

function tell(sentence) {
  problem.textContent = sentence;
  problem.hidden = !sentence;
}
