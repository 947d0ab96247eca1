// The search bar of all pages: suggestions while typing, and the help card of the search syntax.

import { ask, NoAnswer } from "clipsite/base/ask";
import { Completion } from "clipsite/composer/completion";

for (const form of document.querySelectorAll("form.search")) new Completion(form);

let card = null;

/** Show the help card. It is fetched once; if this fails, the link opens the help page. */
async function showHelp(link) {
  try {
    card ??= await fetchCard(link.href);
    card.showModal();
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    location.assign(link.href);
  }
}

async function fetchCard(address) {
  const answer = await ask(address, { headers: { "HX-Request": "true" } });
  if (!answer.ok) throw new NoAnswer(`${answer.status} ${address}`);
  const dialog = document.createElement("dialog");
  dialog.className = "search-help-card";
  dialog.setAttribute("aria-labelledby", "search-help-title");
  dialog.innerHTML = answer.text;
  document.body.append(dialog);
  return dialog;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-search-help]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  showHelp(link);
});
