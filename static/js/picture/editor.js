// The editor of a picture: quarter turns and a crop. The picture is drawn turned, so that the frame
// lies on what will be seen.

import { message } from "clipsite/base/messages";
import { CropFrame } from "clipsite/composer/crop-frame";
import { fitted, turned, WHOLE } from "clipsite/composer/crop-box";
import { call, Problem } from "clipsite/select/api";

const LIMITS = { least: 1, digits: 3 };

/**
 * @typedef {{turns: number, crop: number[]}} Recipe
 */

class Editor {
  constructor(dialog) {
    this.dialog = dialog;
    this.form = dialog.querySelector("form");
    this.canvas = dialog.querySelector("canvas");
    this.problem = dialog.querySelector("[data-problem]");
    this.reset = dialog.querySelector("[data-to-original]");
    this.image = new Image();
    this.frame = new CropFrame(dialog.querySelector("[data-stage]"), this.canvas, LIMITS, {
      changed: () => this.#told(),
      taken: () => this.form.requestSubmit(),
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save();
    });
    this.form.addEventListener("change", () => this.#lock());
    this.reset.addEventListener("click", () => this.#show({ turns: 0, crop: [0, 0, 1, 1] }));
    for (const button of dialog.querySelectorAll("[data-quarters]")) {
      button.addEventListener("click", () => this.#turn(Number(button.dataset.quarters)));
    }
    dialog.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "r" || event.ctrlKey || event.metaKey || event.altKey) return;
      this.#turn(event.shiftKey ? -1 : 1);
    });
  }

  /**
   * Open the editor. Resolves to the answer of the API once the picture is saved, or to null.
   * @param {{api: string, src: string, recipe: Recipe | null}} picture
   */
  async ask({ api, src, recipe }) {
    this.api = api;
    this.answer = null;
    this.form.elements.ratio.value = "";
    this.frame.ratio = null;
    this.#say("");
    this.dialog.classList.add("loading");
    this.dialog.showModal();
    this.before = recipe ?? { turns: 0, crop: [0, 0, 1, 1] };
    this.turns = 0;
    this.canvas.width = this.canvas.height = 0;
    const closed = new Promise((resolve) => {
      this.dialog.addEventListener("close", () => resolve(this.answer), { once: true });
    });
    this.#load(src);
    return closed;
  }

  async #load(src) {
    const asked = (this.image = new Image());
    asked.src = src;
    try {
      await asked.decode();
    } catch {
      if (asked === this.image) this.#say(this.dialog.dataset.broken);
      return;
    }
    if (asked !== this.image || !this.dialog.open) return;
    this.dialog.classList.remove("loading");
    this.#show(this.before);
    this.frame.focus();
  }

  /** @param {Recipe} recipe */
  #show({ turns, crop }) {
    this.turns = turns;
    this.#draw();
    const [left, top, width, height] = crop.map((share) => share * 100);
    this.form.elements.ratio.value = "";
    this.frame.ratio = null;
    this.frame.set({ left, top, width, height });
  }

  #draw() {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    const across = this.turns % 2;
    this.canvas.width = across ? height : width;
    this.canvas.height = across ? width : height;
    this.canvas.parentElement.style.setProperty("--ratio", String(this.canvas.width / this.canvas.height));
    const pen = this.canvas.getContext("2d");
    pen.translate(this.canvas.width / 2, this.canvas.height / 2);
    pen.rotate((this.turns * Math.PI) / 2);
    pen.drawImage(this.image, -width / 2, -height / 2);
  }

  #turn(quarters) {
    if (this.dialog.classList.contains("loading")) return;
    this.turns = (this.turns + quarters + 4) % 4;
    const box = turned(this.frame.box, quarters);
    this.#draw();
    if (this.frame.ratio && quarters % 2) this.frame.ratio = this.#ratio();
    this.frame.set(this.frame.ratio ? fitted(box, this.frame.ratio) : box);
  }

  /** Return the chosen ratio in percentages of the picture. An upright picture gets an upright
   *  frame. */
  #ratio() {
    const chosen = this.form.elements.ratio.value;
    if (!chosen) return null;
    const shape = this.canvas.width / this.canvas.height;
    if (chosen === "original") return 1;
    const [wide, high] = chosen.split(":").map(Number);
    return (shape < 1 ? high / wide : wide / high) / shape;
  }

  #lock() {
    this.frame.ratio = this.#ratio();
    if (this.frame.ratio) this.frame.set(fitted(WHOLE, this.frame.ratio));
    this.dialog.classList.toggle("locked", Boolean(this.frame.ratio));
  }

  #told() {
    const { turns, crop } = this.#recipe();
    this.reset.hidden = turns === 0 && crop.every((share, at) => share === [0, 0, 1, 1][at]);
    this.dialog.classList.toggle("locked", Boolean(this.frame.ratio));
  }

  /** @returns {Recipe} */
  #recipe() {
    const { left, top, width, height } = this.frame.box;
    return { turns: this.turns, crop: [left, top, width, height].map((side) => Number((side / 100).toFixed(5))) };
  }

  async #save() {
    if (this.dialog.classList.contains("loading")) return;
    this.#say("");
    this.dialog.classList.add("loading");
    try {
      this.answer = await call("PUT", this.api, this.#recipe());
      this.dialog.close();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      this.#say(error.message || message("network"));
    } finally {
      this.dialog.classList.remove("loading");
    }
  }

  #say(text) {
    this.problem.textContent = text;
    this.problem.hidden = !text;
  }
}

let editor = null;

/** See Editor.ask. The page contains the dialog (gallery/editor.html). */
export function askForEdit(picture) {
  editor ??= new Editor(document.getElementById("editor"));
  return editor.ask(picture);
}
