// The account pages: copying secrets that are shown once, and confirming by typing.

import { toast } from "clipsite/base/toast";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-text], [data-copy-from]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(textOf(button));
    toast(button.dataset.copied);
  } catch {
    toast(button.dataset.copyFailed); // not allowed, or not over HTTPS
  }
});

function textOf(button) {
  const { copyText, copyFrom } = button.dataset;
  return copyText ?? document.getElementById(copyFrom).innerText;
}

for (const form of document.querySelectorAll("[data-type-to-confirm]")) {
  const field = form.elements.username;
  const button = form.querySelector("[type=submit]");
  const check = () => (button.disabled = field.value !== form.dataset.typeToConfirm);
  field.addEventListener("input", check);
  check();
}
