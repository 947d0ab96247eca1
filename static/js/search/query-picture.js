// Search by a picture that is chosen, dropped anywhere or pasted. The server keeps it for an hour,
// for its sender alone. On a results page it can be added to the current search.

import { acceptDrops, acceptPastes, looksLikePicture, putFile } from "clipsite/base/drops";
import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

const form = document.getElementById("query-picture");

if (form) {
  const field = form.elements.file;
  const overlay = document.getElementById("query-drop");
  const busy = document.getElementById("query-busy");
  const choice = document.getElementById("query-choice"); // only on a results page
  const open = document.querySelector("[data-open-query]")?.dataset.openQuery ?? "";
  let target = null; // the element on which a file was dropped

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

  /** Search by the picture in the field. Other files are refused here, so that the current search
   *  stays, and removed from the field, so that choosing the file again is a change. */
  const search = () => {
    if (!looksLikePicture(field.files[0])) {
      form.reset();
      return toast(message("notAPicture"));
    }
    busy.hidden = false;
    form.submit();
  };
  const take = (file, query) => {
    if (!file) return toast(message("notAPicture")); // a folder or text
    putFile(field, file);
    form.elements.q.value = query;
    search();
  };
  field.addEventListener("change", () => field.files.length && search());

  acceptPastes((file) => {
    if (choice) ask(file);
    else take(file, "");
  });
  /** Ask whether to search by the picture alone or to add it to the current search. */
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
  // On a return, the browser may show the page in the state in which it was left.
  window.addEventListener("pageshow", () => {
    busy.hidden = true;
    form.reset();
  });
}
