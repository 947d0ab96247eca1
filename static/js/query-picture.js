// Search by a picture: chosen with the button, dropped anywhere, or pasted. The
// picture is not kept on the server; a small copy stays in this tab, so that the
// results can show what they are the answer to.

import { acceptDrops, acceptPastes, looksLikePicture, putFile } from "clipsite/drops";
import { message } from "clipsite/messages";
import { toast } from "clipsite/toast";

const PREFIX = "query-picture:";
const SIDE = 160;

const form = document.getElementById("query-picture");

if (form) {
  const field = form.elements.file;
  const overlay = document.getElementById("query-drop");
  const busy = document.getElementById("query-busy");

  for (const button of document.querySelectorAll("[data-choose-query-picture]")) {
    button.hidden = false;
    button.addEventListener("click", () => field.click());
  }
  const search = async () => {
    busy.hidden = false;
    form.elements.preview.value = await keepPreview(field.files[0]);
    form.submit();
  };
  const take = (file) => {
    if (!file || !looksLikePicture(file)) return toast(message("notAPicture"));
    putFile(field, file);
    search();
  };
  field.addEventListener("change", () => field.files.length && search());
  acceptPastes(take);
  acceptDrops({
    over: (hovers) => (overlay.hidden = !hovers),
    dropped: (transfer) => take(transfer.files[0]),
  });
  // Coming back here, the page may be as it was left.
  window.addEventListener("pageshow", () => {
    busy.hidden = true;
    form.reset();
  });
}

/** Keep a small copy; returns its name, or "" where the browser cannot decode it. */
async function keepPreview(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = SIDE / Math.min(bitmap.width, bitmap.height);
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const name = crypto.getRandomValues(new Uint32Array(2)).join("");
    forgetOld();
    sessionStorage.setItem(PREFIX + name, canvas.toDataURL("image/jpeg", 0.8));
    return name;
  } catch {
    return "";
  }
}

function forgetOld() {
  const kept = Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
  if (kept.length > 20) kept.forEach((key) => sessionStorage.removeItem(key));
}

for (const image of document.querySelectorAll("[data-query-preview]")) {
  const kept = sessionStorage.getItem(PREFIX + image.dataset.queryPreview);
  if (kept) {
    image.src = kept;
    image.hidden = false;
  }
}
