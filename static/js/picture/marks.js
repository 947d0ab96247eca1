// The user's marks on a picture: favourite, archive, tags. Each change goes to the API at once.

import { fill } from "clipsite/base/messages";
import { call, told } from "clipsite/select/api";
import { toast } from "clipsite/base/toast";

const texts = () => document.getElementById("marks").dataset;
const api = () => texts().api;

/** Mark or unmark the picture. Returns true if there is a button for it. */
export function toggleFavourite() {
  const button = document.querySelector("[data-favourite]");
  if (!button) return false;
  const on = button.getAttribute("aria-pressed") !== "true";
  told(async () => {
    await call(on ? "PUT" : "DELETE", `${api()}favourite/`);
    button.setAttribute("aria-pressed", String(on));
    document.getElementById("shown").textContent = on ? texts().marked : texts().unmarked;
  });
  return true;
}

/** Archive the picture or restore it. Returns true if the picture is the user's own. */
export function toggleArchive() {
  const button = document.querySelector("[data-archive]");
  if (!button) return false;
  setArchived(button.getAttribute("aria-pressed") !== "true");
  return true;
}

function setArchived(archived) {
  return told(async () => {
    await call("PATCH", api(), { archived });
    document.querySelector("[data-archive]").setAttribute("aria-pressed", archived);
    toast(archived ? texts().archived : texts().unarchived, () => setArchived(!archived));
  });
}

// --- Tags -------------------------------------------------------------------------

const names = () => {
  return [...document.querySelectorAll("#tags [data-tag]")].map((chip) => chip.dataset.tag);
};

async function setTags(wanted) {
  let left = null;
  await told(async () => {
    const { tags } = await call("PUT", `${api()}tags/`, { tags: wanted });
    draw(tags);
    left = tags;
  });
  return left;
}

function draw(tags) {
  const list = document.querySelector("#tags ul");
  const chips = tags.map((tag) => {
    const chip = document.getElementById("tag-chip").content.firstElementChild.cloneNode(true);
    chip.dataset.tag = tag;
    const link = chip.querySelector("a");
    link.textContent = tag;
    link.href += encodeURIComponent(tag);
    const button = chip.querySelector("button");
    button.setAttribute("aria-label", fill(button.dataset.label, { tag }));
    return chip;
  });
  list.replaceChildren(...chips);
}

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-add-tag]")) return;
  event.preventDefault();
  const field = event.target.elements.tag;
  const added = field.value.split(/[,，、;；]/).map((tag) => tag.trim()).filter(Boolean);
  if (!added.length) return;
  if (await setTags([...names(), ...added])) field.value = "";
  field.focus();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-favourite]")) toggleFavourite();
  if (event.target.closest("[data-archive]")) toggleArchive();
  const gone = event.target.closest("[data-remove-tag]")?.closest("[data-tag]").dataset.tag;
  if (gone !== undefined) {
    setTags(names().filter((tag) => tag !== gone));
    document.querySelector("[data-add-tag] input")?.focus();
  }
});
