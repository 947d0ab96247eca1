// Zooms the picture on the stage. Sizes are in CSS pixels, and offsets are from the middle of
// its view. At scale 1 the whole picture is visible.

const STEP = 1.5;

export class Zoom {
  constructor(stage) {
    this.stage = stage;
    this.reset();
  }

  get image() {
    return this.stage.querySelector(".fit");
  }

  /** What the picture is shown in: it is replaced with the picture. A stage may have none. */
  get view() {
    return this.stage.querySelector(".stage-view") ?? this.stage;
  }

  get zoomed() {
    return this.scale > 1.001;
  }

  /** The largest scale: each pixel of the picture may become two wide. */
  get limit() {
    const { image } = this;
    return Math.max(4, (2 * ownWidth(image)) / Math.max(1, image.clientWidth));
  }

  reset() {
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.#apply();
  }

  /** Zoom to `scale` and keep the place under `point`, {x, y} in the viewport. */
  to(scale, point = this.#middle()) {
    const next = Math.min(this.limit, Math.max(1, scale));
    const from = this.#fromMiddle(point);
    this.x = from.x - ((from.x - this.x) * next) / this.scale;
    this.y = from.y - ((from.y - this.y) * next) / this.scale;
    this.scale = next;
    this.#apply();
    if (this.zoomed) this.#sharpen();
  }

  closer(point) {
    this.to(this.scale * STEP, point);
  }

  further(point) {
    this.to(this.scale / STEP, point);
  }

  /** Switch between the whole picture and its own pixels, at least at scale 2. */
  toggle(point) {
    if (this.zoomed) this.reset();
    else this.to(Math.max(2, this.limit / 2), point);
  }

  pan(x, y) {
    this.x += x;
    this.y += y;
    this.#apply();
  }

  #apply() {
    const { image, stage, view } = this;
    if (!image) return;
    const room = (own, there) => Math.max(0, (own * this.scale - there) / 2);
    const widest = room(image.clientWidth, view.clientWidth);
    const highest = room(image.clientHeight, view.clientHeight);
    this.x = Math.min(widest, Math.max(-widest, this.x));
    this.y = Math.min(highest, Math.max(-highest, this.y));
    stage.classList.toggle("zoomed", this.zoomed);
    image.style.transform = this.zoomed
      ? `translate(${this.x}px, ${this.y}px) scale(${this.scale})`
      : "";
    stage.dispatchEvent(new CustomEvent("zoom:changed"));
  }

  /** Replace the smaller copy by the full file, once, when the zoom needs it. */
  async #sharpen() {
    const { image } = this;
    if (image.dataset.sharp || image.clientWidth * devicePixelRatio >= ownWidth(image)) return;
    image.dataset.sharp = "loading";
    image.dataset.sharp = (await exchange(image, image.dataset.full)) ? "full" : "best";
  }

  #middle() {
    const box = this.view.getBoundingClientRect();
    return { x: box.left + box.width / 2, y: box.top + box.height / 2 };
  }

  #fromMiddle(point) {
    const middle = this.#middle();
    return { x: point.x - middle.x, y: point.y - middle.y };
  }
}

const ownWidth = (image) => Number(image.getAttribute("width"));

/** Replace the picture by its full file. Resolves to false, and keeps the copy, if the browser
 *  cannot show the file (TIFF, HEIC). */
async function exchange(image, address) {
  const full = new Image();
  full.src = address;
  try {
    await full.decode();
  } catch {
    return false;
  }
  image.removeAttribute("srcset");
  image.src = address;
  return true;
}
