// The entry point of all pages.

import "clipsite/base/back";
import "clipsite/base/focus";
import "clipsite/base/htmx-hooks";
import "clipsite/base/keyboard";
import "clipsite/base/menus";
import "clipsite/base/modality";
import "clipsite/base/regions";
import "clipsite/search/query-picture";
import "clipsite/base/theme-toggle";
import "clipsite/base/toast";
import { remember } from "clipsite/picture/walk";

document.addEventListener("click", (event) => {
  const tile = event.target.closest("a[data-tile]");
  if (tile) remember(tile);
});

// A form with a confirmation: its dialog sends the same request.
document.addEventListener("submit", (event) => {
  const dialog = document.getElementById(event.target.dataset.confirm);
  if (!dialog) return;
  event.preventDefault();
  dialog.querySelector("form").action = event.target.action;
  dialog.showModal();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-close-dialog]") || event.target.matches("dialog")) {
    event.target.closest("dialog").close();
  }
});
