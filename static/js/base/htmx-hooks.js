// Events of htmx: requests without an answer, and the focus after a swap.

import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => toast(message("network")));
}

// A form that replaces text takes the focus and returns it when it closes.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "details") return;
  const details = document.getElementById("details");
  const field = details?.querySelector("[aria-invalid=true], input:not([type=hidden])");
  (field ?? document.querySelector("[data-edit]"))?.focus();
});
