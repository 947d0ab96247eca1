// Compares two pictures of a group, one over the other. A slider moves the line between them, a
// press shows the other one, and both zoom together.

import { listenOn } from "clipsite/picture/gestures";
import { Zoom } from "clipsite/picture/zoom";

const STEP = 5; // percent of the slider, by arrow keys

/** Several zooms as one, with the interface of Zoom. */
class Together {
  constructor(zooms) {
    this.zooms = zooms;
  }

  get scale() {
    return this.zooms[0].scale;
  }

  get zoomed() {
    return this.zooms[0].zoomed;
  }

  get image() {
    return this.zooms[0].image;
  }

  reset() {
    for (const zoom of this.zooms) zoom.reset();
  }

  /** Zoom both, up to the limit of the picture with more pixels. */
  to(scale, point) {
    const farthest = Math.max(...this.zooms.map((zoom) => zoom.limit));
    for (const zoom of this.zooms) zoom.to(Math.min(scale, farthest), point);
  }

  pan(x, y) {
    for (const zoom of this.zooms) zoom.pan(x, y);
  }

  toggle(point) {
    if (this.zoomed) this.reset();
    else this.to(Math.max(2, ...this.zooms.map((zoom) => zoom.limit / 2)), point);
  }
}

/** A zoom without its own limit: both pictures have the same scale. */
class Layer extends Zoom {
  get limit() {
    return Math.max(super.limit, 16);
  }
}

function listen(dialog) {
  const box = dialog.querySelector("[data-box]");
  const layers = [...dialog.querySelectorAll("[data-layer]")];
  const slider = dialog.querySelector("[data-slider]");
  const which = dialog.querySelector("[data-which]");
  const flip = dialog.querySelector("[data-flip]");
  const zoom = new Together(layers.map((layer) => new Layer(layer)));
  let pictures = []; // of the group: {image, number, name}, the kept one first
  let other = 1;

  const cut = (percent) => {
    slider.value = percent;
    box.style.setProperty("--cut", `${slider.value}%`);
  };

  function open(group) {
    const choices = [...group.querySelectorAll(".duplicate-picture")].map((picture, index) => ({
      image: picture.querySelector("img"),
      name: picture.querySelector(".duplicate-name").textContent,
      number: index + 1,
      kept: picture.querySelector("input[name=keep]").checked,
    }));
    pictures = choices.sort((one, two) => two.kept - one.kept);
    which.replaceChildren(...pictures.slice(1).map(button));
    dialog.showModal();
    show(1);
    cut(50);
    slider.focus();
  }

  function button(picture, index) {
    const choice = document.createElement("button");
    choice.type = "button";
    choice.className = "button compact";
    choice.textContent = `${pictures[0].number} / ${picture.number}`;
    choice.addEventListener("click", () => show(index + 1));
    return choice;
  }

  function show(index) {
    other = index;
    zoom.reset();
    [pictures[0], pictures[other]].forEach((picture, layer) => fill(layers[layer], picture));
    tell("[data-left]", pictures[0]);
    tell("[data-right]", pictures[other]);
    [...which.children].forEach((choice, place) =>
      choice.setAttribute("aria-pressed", String(place + 1 === other)),
    );
  }

  function tell(selector, { number, name }) {
    dialog.querySelector(selector).textContent = `${number}  ${name}`;
  }

  function fill(layer, { image }) {
    const shown = layer.querySelector("img");
    const copy = image.cloneNode();
    copy.className = "fit";
    copy.removeAttribute("loading");
    copy.sizes = "100vw";
    copy.draggable = false;
    shown.replaceWith(copy);
  }

  /** While a key or pointer is held, show only the other picture, regardless of the slider. */
  const peek = (held) => box.classList.toggle("flipped", held);

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-compare]");
    if (opener) open(opener.closest("[data-group]"));
  });
  dialog.addEventListener("close", () => {
    peek(false);
    zoom.reset();
  });
  slider.addEventListener("input", () => cut(slider.value));
  flip.addEventListener("pointerdown", () => peek(true));
  for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
    flip.addEventListener(name, () => peek(false));
  }
  const middle = () => {
    const { left, top, width, height } = box.getBoundingClientRect();
    return { x: left + width / 2, y: top + height / 2 };
  };
  dialog.querySelector("[data-closer]").addEventListener("click", () => closer(1.5));
  dialog.querySelector("[data-further]").addEventListener("click", () => closer(1 / 1.5));
  const closer = (factor) => zoom.to(zoom.scale * factor, middle());
  const turn = (step) => show(1 + ((other - 1 + step + pictures.length - 1) % (pictures.length - 1)));

  const keys = {
    ArrowLeft: () => cut(Number(slider.value) - STEP),
    ArrowRight: () => cut(Number(slider.value) + STEP),
    ArrowUp: () => turn(-1),
    ArrowDown: () => turn(1),
    "+": () => closer(1.5),
    "=": () => closer(1.5),
    "-": () => closer(1 / 1.5),
    0: () => zoom.reset(),
    " ": () => peek(true),
  };
  dialog.addEventListener("keydown", (event) => {
    const onButton = event.target.matches("button") && event.key === " " && event.target !== flip;
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey || onButton) return;
    event.preventDefault();
    keys[event.key]();
  });
  dialog.addEventListener("keyup", (event) => event.key === " " && peek(false));
  listenOn(box, zoom, turn);
}

const dialog = document.getElementById("compare");
if (dialog) listen(dialog);
