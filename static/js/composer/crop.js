// Choosing a part of a picture. A drag draws a rectangle, its inside moves it, its corners resize
// it; keys and number fields work, too. All values are percentages of the picture's width and
// height. The first rectangle is only a start for the keys: until it is changed, any drag draws a
// new one.

import { fill } from "clipsite/base/messages";

const STEP = 1;
const LEAST = 5; // of either side
const PROPOSED = { left: 20, top: 20, width: 60, height: 60 };
const SLOP = 6; // pixels that a click may move

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Return a rectangle limited to the picture. */
export function within({ left, top, width, height }) {
  const wide = clamp(Math.round(width), LEAST, 100);
  const high = clamp(Math.round(height), LEAST, 100);
  return {
    left: clamp(Math.round(left), 0, 100 - wide),
    top: clamp(Math.round(top), 0, 100 - high),
    width: wide,
    height: high,
  };
}

/** Return a rectangle after a drag of its corner "nw", "ne", "sw" or "se" by (x, y). */
export function resized(box, corner, x, y) {
  const right = box.left + box.width;
  const bottom = box.top + box.height;
  const west = corner.includes("w") ? clamp(box.left + x, 0, right - LEAST) : box.left;
  const north = corner.includes("n") ? clamp(box.top + y, 0, bottom - LEAST) : box.top;
  const east = corner.includes("e") ? clamp(right + x, box.left + LEAST, 100) : right;
  const south = corner.includes("s") ? clamp(bottom + y, box.top + LEAST, 100) : bottom;
  return within({ left: west, top: north, width: east - west, height: south - north });
}

const KEYS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

class CropDialog {
  constructor(dialog) {
    this.dialog = dialog;
    this.form = dialog.querySelector("form");
    this.stage = dialog.querySelector("[data-stage]");
    this.image = this.stage.querySelector("img");
    this.frame = this.stage.querySelector("[data-frame]");
    this.stage.addEventListener("pointerdown", (event) => this.#press(event));
    this.stage.addEventListener("dragstart", (event) => event.preventDefault());
    this.frame.addEventListener("keydown", (event) => this.#key(event));
    this.form.addEventListener("input", () => this.#read());
    dialog.querySelector("[data-whole]").addEventListener("click", () => dialog.close("whole"));
  }

  /** Open the dialog. Resolves to {left, top, width, height} in percent, "" for the whole picture,
   *  or null for no change. */
  ask(src, box) {
    this.image.src = src;
    this.#set(box ?? PROPOSED, !box);
    this.dialog.returnValue = "";
    this.dialog.showModal();
    this.frame.focus();
    return new Promise((resolve) => {
      const answers = { part: () => this.box, whole: () => "" };
      const closed = () => resolve(answers[this.dialog.returnValue]?.() ?? null);
      this.dialog.addEventListener("close", closed, { once: true });
    });
  }

  /** Set the rectangle. Unless `proposed`, it counts as the user's own. */
  #set(box, proposed = false) {
    this.box = within(box);
    this.proposed = proposed;
    this.frame.classList.toggle("proposed", proposed);
    for (const [side, value] of Object.entries(this.box)) {
      this.frame.style[side] = `${value}%`;
      if (this.form.elements[side] !== document.activeElement) this.form.elements[side].value = value;
    }
    this.frame.setAttribute("aria-label", fill(this.frame.dataset.label, this.box));
  }

  #read() {
    const typed = ["left", "top", "width", "height"].map((side) => [side, this.form.elements[side].valueAsNumber]);
    if (typed.every(([, value]) => Number.isFinite(value))) this.#set(Object.fromEntries(typed));
  }

  #key(event) {
    const step = KEYS[event.key];
    const taken = event.key === "Enter";
    if (!(step || taken) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault(); // otherwise the key would press the next focused button
    if (taken) return this.form.requestSubmit(this.form.querySelector("[value=part]"));
    const [x, y] = step;
    const { left, top, width, height } = this.box;
    this.#set(
      event.shiftKey
        ? { left, top, width: Math.min(width + x, 100 - left), height: Math.min(height + y, 100 - top) }
        : { left: left + x, top: top + y, width, height },
    );
  }

  /** Return the pointer's position on the picture. */
  #point(event) {
    const box = this.image.getBoundingClientRect();
    return {
      x: clamp(((event.clientX - box.left) / box.width) * 100, 0, 100),
      y: clamp(((event.clientY - box.top) / box.height) * 100, 0, 100),
    };
  }

  /** Begin a drag. A corner resizes and the inside moves the rectangle; elsewhere a new one begins.
   *  A rectangle that is only proposed is always replaced by a new one. */
  #press(event) {
    if (event.button) return;
    event.preventDefault();
    const start = this.#point(event);
    const before = this.box;
    const held = this.proposed ? null : event.target;
    const corner = held?.closest("[data-corner]")?.dataset.corner;
    const inside = held?.closest("[data-frame]");
    let drags = Boolean(inside); // a new rectangle needs more than a slightly moved click
    const draw = ({ x, y }) => {
      if (corner) return resized(before, corner, x - start.x, y - start.y);
      if (inside) return { ...before, left: before.left + x - start.x, top: before.top + y - start.y };
      const [left, right] = [start.x, x].sort((a, b) => a - b);
      const [top, bottom] = [start.y, y].sort((a, b) => a - b);
      return { left, top, width: right - left, height: bottom - top };
    };
    const move = (moved) => {
      drags ||= Math.hypot(moved.clientX - event.clientX, moved.clientY - event.clientY) > SLOP;
      if (drags) this.#set(draw(this.#point(moved)));
    };
    const end = () => {
      this.stage.removeEventListener("pointermove", move);
      this.frame.focus({ preventScroll: true });
    };
    this.stage.setPointerCapture(event.pointerId);
    this.stage.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) this.stage.addEventListener(name, end, { once: true });
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
