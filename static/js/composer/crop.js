// Choosing a part of a picture to search by. All values are percentages of the picture's width and
// height. The first rectangle is only a start for the keys: until it is changed, any drag draws a
// new one.

import { CropFrame } from "clipsite/composer/crop-frame";

const LIMITS = { least: 5, digits: 0 };
const PROPOSED = { left: 20, top: 20, width: 60, height: 60 };

class CropDialog {
  constructor(dialog) {
    this.dialog = dialog;
    this.form = dialog.querySelector("form");
    const stage = dialog.querySelector("[data-stage]");
    this.image = stage.querySelector("img");
    this.frame = new CropFrame(stage, this.image, LIMITS, {
      changed: (box) => this.#write(box),
      taken: () => this.form.requestSubmit(this.form.querySelector("[value=part]")),
    });
    this.form.addEventListener("input", () => this.#read());
    dialog.querySelector("[data-whole]").addEventListener("click", () => dialog.close("whole"));
  }

  /** Open the dialog. Resolves to {left, top, width, height} in percent, "" for the whole picture,
   *  or null for no change. */
  ask(src, box) {
    this.image.src = src;
    this.frame.set(box ?? PROPOSED, !box);
    this.dialog.returnValue = "";
    this.dialog.showModal();
    this.frame.focus();
    return new Promise((resolve) => {
      const answers = { part: () => this.frame.box, whole: () => "" };
      const closed = () => resolve(answers[this.dialog.returnValue]?.() ?? null);
      this.dialog.addEventListener("close", closed, { once: true });
    });
  }

  #write(box) {
    for (const [side, value] of Object.entries(box)) {
      const field = this.form.elements[side];
      if (field !== document.activeElement) field.value = value;
    }
  }

  #read() {
    const typed = ["left", "top", "width", "height"].map((side) => [side, this.form.elements[side].valueAsNumber]);
    if (typed.every(([, value]) => Number.isFinite(value))) this.frame.set(Object.fromEntries(typed));
  }
}

let asking = null;

/** See CropDialog.ask. The page contains the dialog (search/crop_dialog.html). */
export function askForPart(src, box) {
  asking ??= new CropDialog(document.getElementById("crop"));
  return asking.ask(src, box);
}

/** Parse "10,20,50,40" as a rectangle. Returns null for other texts. */
export function readBox(text) {
  const [left, top, width, height] = text.split(",").map(Number);
  return text ? { left, top, width, height } : null;
}

export const writeBox = (box) => box && [box.left, box.top, box.width, box.height].join(",");

// The search by a part of a picture: the picture's form sends the part.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-crop-and-search]");
  if (!button) return;
  const box = await askForPart(button.dataset.cropAndSearch, null);
  if (box === null) return;
  button.form.elements.crop.value = writeBox(box);
  button.form.submit();
});
