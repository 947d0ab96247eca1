// The picture of the classify page: choosing, dropping or pasting it, and its preview.

import { acceptDrops, acceptPastes, looksLikePicture, putFile } from "clipsite/base/drops";
import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

const form = document.getElementById("classify");
const field = form.elements.file;
const preview = form.querySelector("[data-preview]");
const prompt = form.querySelector("[data-prompt]");
const name = form.querySelector("[data-name]");
const overlay = document.getElementById("drop");

function show() {
  const file = field.files[0];
  URL.revokeObjectURL(preview.src);
  prompt.hidden = Boolean(file);
  name.hidden = preview.hidden = !file;
  document.getElementById("classes").replaceChildren();
  if (!file) return;
  name.textContent = file.name;
  preview.src = URL.createObjectURL(file);
}

// Most browsers cannot show HEIC and TIFF: only the name is shown then.
preview.addEventListener("error", () => (preview.hidden = true));

function take(file) {
  if (!file || !looksLikePicture(file)) return toast(message("notAPicture"));
  putFile(field, file);
  show();
}

field.addEventListener("change", show);
acceptPastes(take);
acceptDrops({
  over: (hovers) => (overlay.hidden = !hovers),
  dropped: (transfer) => take(transfer.files[0]),
});
if (field.files.length) show();
