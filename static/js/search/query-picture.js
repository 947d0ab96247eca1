// Search by a picture: chosen with the button, dropped anywhere, or pasted. The server
// keeps it for an hour, for whoever sent it. While a search is open, it may join that one.

import { acceptDrops, acceptPastes, looksLikePicture, putFile } from "clipsite/base/drops";
import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

const form = document.getElementById("query-picture");

if (form) {
  const field = form.elements.file;
  const overlay = document.getElementById("query-drop");
  const busy = document.getElementById("query-busy");
  const choice = document.getElementById("query-choice"); // while a search is open
  const open = document.querySelector("[data-open-query]")?.dataset.openQuery ?? "";
  let target = null; // what a file was dropped on

  const choose = (buttons, query) => {
    for (const button of document.querySelectorAll(buttons)) {
      button.hidden = false;
      button.addEventListener("click", () => {
        form.elements.q.value = query;
        field.click();
      });
    }
  };
  choose("[data-choose-query-picture]", "");
  choose("[data-add-query-picture]", open);

  /** By the picture in the field. A file that is none is refused here, where the search
   *  that is open stays, and let go, so that choosing it again is a change again. */
  const search = () => {
    if (!looksLikePicture(field.files[0])) {
      form.reset();
      return toast(message("notAPicture"));
    }
    busy.hidden = false;
    form.submit();
  };
  const take = (file, query) => {
    if (!file) return toast(message("notAPicture")); // a folder, or text
    putFile(field, file);
    form.elements.q.value = query;
    search();
  };
  field.addEventListener("change", () => field.files.length && search());

  acceptPastes((file) => {
    if (choice) ask(file);
    else take(file, "");
  });
  /** By it alone, or by it as well? */
  function ask(file) {
    const image = choice.querySelector("img");
    image.src = URL.createObjectURL(file);
    choice.returnValue = "";
    choice.showModal();
    const closed = () => {
      URL.revokeObjectURL(image.src);
      if (choice.returnValue) take(file, choice.returnValue === "add" ? open : "");
    };
    choice.addEventListener("close", closed, { once: true });
  }

  const zoneOf = (event) => event.target.closest?.("[data-drop]");
  document.addEventListener("drop", (event) => (target = zoneOf(event)?.dataset.drop), true);
  document.addEventListener("dragover", (event) => {
    const zone = zoneOf(event);
    for (const one of overlay.children) one.classList.toggle("aimed", one === zone);
  });
  acceptDrops({
    over: (hovers) => (overlay.hidden = !hovers),
    dropped: (transfer) => take(transfer.files[0], target === "add" ? open : ""),
  });
  // Coming back here, the page may be as it was left.
  window.addEventListener("pageshow", () => {
    busy.hidden = true;
    form.reset();
  });
}
