// Short notices at the foot of the page. Notices with something to do stay longer. A notice with the
// pointer or the focus on it stays.

import { message } from "clipsite/base/messages";

const SHORT = 5000;
const LONG = 15000;
const area = document.getElementById("toasts");

/**
 * Show a short notice, which screen readers read out. `action`, {label, run}, adds a button, and
 * `link`, {label, href}, a link.
 */
export function toast(text, action, link) {
  const box = document.createElement("div");
  box.className = "toast";
  const line = document.createElement("p");
  line.textContent = text;
  box.append(line);
  if (link) box.append(openLink(link));
  if (link || action) box.dataset.lasting = "";
  if (action) box.append(actionButton(action, box));
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

function actionButton({ label, run }, box) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button compact";
  button.textContent = label;
  button.addEventListener("click", () => {
    box.remove();
    run();
  });
  return button;
}

function expire(box) {
  const patience = "lasting" in box.dataset ? LONG : SHORT;
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => box.remove(), patience);
  };
  const hold = () => clearTimeout(timer);
  box.addEventListener("pointerenter", hold);
  box.addEventListener("pointerleave", wait);
  box.addEventListener("focusin", hold);
  box.addEventListener("focusout", wait);
  wait();
}

area.querySelectorAll("[data-toast]").forEach(expire);
area.addEventListener("click", (event) => {
  if (event.target.closest("[data-close-toast]")) event.target.closest(".toast").remove();
});
