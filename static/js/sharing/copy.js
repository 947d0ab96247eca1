// Buttons that copy the address of a link.

import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-link]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copyLink);
    toast(message("copied"));
  } catch {
    // Not allowed or not over HTTPS: the user can copy the address by hand.
    const field = button.parentElement.querySelector("input");
    field.focus();
    field.select();
  }
});
