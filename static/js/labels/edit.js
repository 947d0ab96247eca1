// The rows of the form of a label set: adding, removing and moving them without a request. The
// form itself is sent as it stands.

import { sortable } from "clipsite/albums/drag";
import { fill } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

const list = document.getElementById("set-rows");
const live = document.getElementById("set-live");
const form = document.getElementById("set-form");
const blank = /** @type {HTMLTemplateElement} */ (document.getElementById("set-row"));
const texts = JSON.parse(document.getElementById("arranging").textContent);

const rows = () => /** @type {HTMLElement[]} */ ([...list.children]);
const nameField = (row) => row.querySelector("[name=category]");
const nameOf = (row) => nameField(row).value || nameField(row).getAttribute("aria-label");

let added = 0;

// The buttons that need no script are not needed.
for (const moves of form.querySelectorAll("[data-plain-moves]")) moves.remove();
blank.content.querySelector("[data-plain-moves]").remove();

form.addEventListener("click", (event) => {
  if (event.target.closest("[data-add]")) {
    event.preventDefault();
    nameField(add()).focus();
  }
  const remover = event.target.closest("[data-remove]");
  if (remover) {
    event.preventDefault();
    remove(remover.closest("li"));
  }
});

/** Add an empty row at the end. Its fields get ids of their own. */
function add() {
  added += 1;
  const row = /** @type {HTMLElement} */ (blank.content.firstElementChild.cloneNode(true));
  for (const name of ["id", "for", "aria-describedby"]) {
    for (const part of row.querySelectorAll(`[${name}^="row-new-"]`)) {
      part.setAttribute(name, part.getAttribute(name).replace("row-new-", `row-new${added}-`));
    }
  }
  list.append(row);
  number();
  return row;
}

function remove(row) {
  const [former, name, place] = [row.nextElementSibling, nameOf(row), rows().indexOf(row)];
  row.remove();
  number();
  const next = rows()[Math.min(place, rows().length - 1)];
  if (next) nameField(next).focus();
  const undo = () => {
    list.insertBefore(row, former?.parentElement === list ? former : null);
    number();
    nameField(row).focus();
  };
  if (name) toast(fill(texts.removed, { name }), undo);
}

/** Number the rows anew, for screen readers. */
function number() {
  rows().forEach((row, place) => {
    const field = nameField(row);
    field.setAttribute("aria-label", fill(texts.category, { number: place + 1 }));
  });
}

function say(row) {
  number();
  const all = rows();
  const place = all.indexOf(row) + 1;
  live.textContent = fill(texts.moved, { name: nameOf(row), place, count: all.length });
}

// --- Moving ---

const STEPS = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };

list.addEventListener("keydown", (event) => {
  const handle = event.target.closest("[data-handle]");
  if (!handle || !(event.key in STEPS)) return;
  event.preventDefault();
  const row = handle.closest("li");
  const others = rows().filter((one) => one !== row);
  const place = Math.min(Math.max(rows().indexOf(row) + STEPS[event.key], 0), others.length);
  list.insertBefore(row, others[place] ?? null);
  handle.focus();
  row.scrollIntoView({ block: "nearest" });
  say(row);
});

sortable(list, {
  begin: () => {},
  dropped: (row) => say(row),
  handle: "[data-handle]",
  inRows: true,
});

// Enter in the last name goes on with another row; the form is sent by its button.
list.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("[name=category]")) return;
  event.preventDefault();
  const next = event.target.closest("li").nextElementSibling ?? add();
  nameField(next).focus();
});

// Lines that are pasted into a name become rows.
list.addEventListener("paste", (event) => {
  const field = /** @type {HTMLInputElement} */ (event.target);
  if (field.name !== "category") return;
  const lines = event.clipboardData.getData("text").split(/[\r\n]+/).map((line) => line.trim());
  const [first, ...others] = lines.filter(Boolean);
  if (!others.length) return;
  event.preventDefault();
  let row = /** @type {Element} */ (field.closest("li"));
  field.setRangeText(first, field.selectionStart, field.selectionEnd, "end");
  for (const line of others) {
    const next = row.nextElementSibling;
    const free = next && !nameField(next).value ? next : null;
    const made = free ?? add();
    if (!free) row.after(made);
    nameField(made).value = line;
    row = made;
  }
  number();
  nameField(row).focus();
});
