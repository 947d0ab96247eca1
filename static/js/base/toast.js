// Short notices at the foot of the page. Notices with something to do stay longer. A notice with the
// pointer or the focus on it stays. Ctrl-Z presses the Undo of the newest one.

import { message } from "clipsite/base/messages";

const SHORT = 5000;
const LONG = 20000;
const MAC = /Mac|iP/.test(navigator.platform);
const area = document.getElementById("toasts");

/**
 * Show a short notice, which screen readers read out. `undo()` adds a button that takes back what
 * the notice tells, and `link`, {label, href}, a link. If `undo()` resolves to false, it failed: the
 * notice comes again.
 * @param {string} text
 * @param {(() => unknown) | null} [undo]
 * @param {{ label: string, href: string } | null} [link]
 */
export function toast(text, undo, link) {
  const box = document.createElement("div");
  box.className = "toast";
  const line = document.createElement("p");
  line.textContent = text;
  box.append(line);
  if (link) box.append(openLink(link));
  if (link || undo) box.dataset.lasting = "";
  if (undo) box.append(undoButton(undo, box, () => toast(text, undo, link)));
  const close = document.createElement("button");
  close.type = "button";
  close.className = "icon-button";
  close.dataset.closeToast = "";
  close.setAttribute("aria-label", message("close"));
  close.textContent = "×";
  box.append(close);
  area.append(box);
  expire(box);
}

function openLink({ label, href }) {
  const anchor = document.createElement("a");
  anchor.className = "button compact";
  anchor.href = href;
  anchor.textContent = label;
  return anchor;
}

function undoButton(undo, box, offerAgain) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button compact";
  button.textContent = message("undo");
  equip(button);
  button.addEventListener("click", async () => {
    box.remove();
    if ((await undo()) === false) offerAgain();
  });
  return button;
}

/** Name the key of an Undo on it, for those who have keys (css/overlays.css). */
function equip(button) {
  const keys = document.createElement("kbd");
  keys.textContent = MAC ? "⌘Z" : "Ctrl+Z";
  button.dataset.undo = "";
  button.setAttribute("aria-keyshortcuts", MAC ? "Meta+Z" : "Control+Z");
  button.append(" ", keys);
}

function expire(box) {
  const patience = "lasting" in box.dataset ? LONG : SHORT;
  let timer;
  const hold = () => clearTimeout(timer);
  const wait = () => {
    hold();
    if (!box.matches(":hover, :focus-within")) timer = setTimeout(() => box.remove(), patience);
  };
  box.addEventListener("pointerenter", hold);
  box.addEventListener("pointerleave", wait);
  box.addEventListener("focusin", hold);
  // The focus has moved on only after this event.
  box.addEventListener("focusout", () => setTimeout(wait));
  wait();
}

/** Press the newest Undo. Returns whether there is one. */
export function undoNewest() {
  const newest = /** @type {HTMLElement | undefined} */ ([...area.querySelectorAll("[data-undo]")].at(-1));
  newest?.click();
  return Boolean(newest);
}

area.querySelectorAll("[data-toast]").forEach(expire);
area.querySelectorAll("[data-toast] form button").forEach(equip);
area.addEventListener("click", (event) => {
  if (event.target.closest("[data-close-toast]")) event.target.closest(".toast").remove();
});
