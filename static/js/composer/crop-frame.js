// A rectangle on a picture, by pointer and keys: a drag draws one, its inside moves it, its corners
// and sides resize it; arrows move it, Shift and arrows resize it.

import { fill } from "clipsite/base/messages";
import { clamp, fitted, resized, within } from "clipsite/composer/crop-box";

const SLOP = 6; // pixels that a click may move

const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @typedef {import("clipsite/composer/crop-box").Box} Box */

export class CropFrame {
  /**
   * `stage` contains the picture and, as [data-frame], the frame. `changed` is told of each new
   * rectangle, `taken` of Enter.
   * @param {HTMLElement} stage
   * @param {HTMLElement} picture
   * @param {import("clipsite/composer/crop-box").Limits} limits
   * @param {{changed?: (box: Box) => void, taken: () => void}} listeners
   */
  constructor(stage, picture, limits, { changed = () => {}, taken }) {
    this.stage = stage;
    this.picture = picture;
    this.limits = limits;
    this.changed = changed;
    this.taken = taken;
    /** Width by height in percentages, or null for any. */
    this.ratio = null;
    /** @type {HTMLElement} */
    this.frame = stage.querySelector("[data-frame]");
    stage.addEventListener("pointerdown", (event) => this.#press(event));
    stage.addEventListener("dragstart", (event) => event.preventDefault());
    this.frame.addEventListener("keydown", (event) => this.#key(event));
  }

  focus() {
    this.frame.focus({ preventScroll: true });
  }

  /** Set the rectangle. A `proposed` one is only a start for the keys: any drag replaces it. */
  set(box, proposed = false) {
    this.box = within(box, this.limits);
    this.proposed = proposed;
    this.frame.classList.toggle("proposed", proposed);
    for (const [side, value] of Object.entries(this.box)) this.frame.style[side] = `${value}%`;
    const whole = Object.entries(this.box).map(([side, value]) => [side, Math.round(value)]);
    this.frame.setAttribute("aria-label", fill(this.frame.dataset.label, Object.fromEntries(whole)));
    this.changed(this.box);
  }

  #key(event) {
    const step = KEYS[event.key];
    const taken = event.key === "Enter";
    if (!(step || taken) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault(); // otherwise the key would press the next focused button
    if (taken) return this.taken();
    const [x, y] = step;
    const { left, top } = this.box;
    if (!event.shiftKey) return this.set({ ...this.box, left: left + x, top: top + y });
    this.set(this.ratio ? this.#grown(x, y) : resized(this.box, "se", x, y, this.limits));
  }

  /** With a ratio, right and down make the rectangle larger, left and up smaller. */
  #grown(x, y) {
    const wide = this.box.width + (x + y) * Math.max(1, this.ratio);
    const box = { ...this.box, width: wide, height: wide / this.ratio };
    const most = Math.min(100 - box.left, (100 - box.top) * this.ratio);
    return wide > most ? { ...box, width: most, height: most / this.ratio } : box;
  }

  /** Return the pointer's position on the picture. */
  #point(event) {
    const box = this.picture.getBoundingClientRect();
    return {
      x: clamp(((event.clientX - box.left) / box.width) * 100, 0, 100),
      y: clamp(((event.clientY - box.top) / box.height) * 100, 0, 100),
    };
  }

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
      if (corner) return resized(before, corner, x - start.x, y - start.y, this.limits, this.ratio);
      if (inside) return { ...before, left: before.left + x - start.x, top: before.top + y - start.y };
      const [left, right] = [start.x, x].sort((a, b) => a - b);
      const [top, bottom] = [start.y, y].sort((a, b) => a - b);
      const drawn = { left, top, width: right - left, height: bottom - top };
      return this.ratio ? fitted(drawn, this.ratio) : drawn;
    };
    const move = (moved) => {
      drags ||= Math.hypot(moved.clientX - event.clientX, moved.clientY - event.clientY) > SLOP;
      if (drags) this.set(draw(this.#point(moved)));
    };
    const end = () => {
      this.stage.removeEventListener("pointermove", move);
      this.focus();
    };
    this.stage.setPointerCapture(event.pointerId);
    this.stage.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) this.stage.addEventListener(name, end, { once: true });
  }
}
