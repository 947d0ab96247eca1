// One row of the upload list: its texts and buttons.

import { fill } from "clipsite/base/messages";
import * as format from "clipsite/upload/format";

const template = document.getElementById("upload-row");
const BLANK = template.content.querySelector("img").src;

export class Rows {
  constructor({ queue, line, texts }) {
    this.queue = queue;
    this.line = line;
    this.texts = texts;
  }

  make() {
    return template.content.firstElementChild.cloneNode(true);
  }

  draw(row, item) {
    const part = (selector) => row.querySelector(selector);
    const text = this.#text(item);
    row.dataset.state = item.state;
    if (row.dataset.name !== item.path) this.#name(row, item);
    say(part("[data-text]"), text);
    say(part("[data-detail]"), item.state === "sending" ? this.#detail(item) : "");
    const progress = part("progress");
    progress.hidden = !["sending", "received", "paused"].includes(item.state);
    progress.value = item.size ? item.sent / item.size : 1;
    part("[data-open]").hidden = !item.page;
    if (item.page) part("[data-open]").href = item.page;
    part("[data-pause]").hidden = !item.pausable;
    part("[data-resume]").hidden = item.state !== "paused";
    part("[data-retry]").hidden = !item.retriable;
    part("[data-cancel]").hidden = !item.cancellable;
    this.#picture(part("img"), item);
  }

  clicked(control, item) {
    if ("retry" in control.dataset) this.queue.retry(item);
    if ("pause" in control.dataset) this.queue.pause(item);
    if ("resume" in control.dataset) this.queue.resume(item);
    if ("cancel" in control.dataset) this.queue.cancel(item);
  }

  #name(row, item) {
    const { name, path } = item;
    row.dataset.name = path;
    say(row.querySelector(".upload-name"), name);
    row.querySelector(".upload-name").title = path;
    const label = (selector, text) =>
      row.querySelector(selector).setAttribute("aria-label", fill(text, { name }));
    label("progress", this.texts.progressOf);
    label("[data-cancel]", this.texts.cancelOne);
    label("[data-retry]", this.texts.retryOne);
    label("[data-pause]", this.texts.pauseOne);
    label("[data-resume]", this.texts.resumeOne);
    label("[data-open]", this.texts.openOne);
  }

  #text({ state, reason, restored, sent, size }) {
    const percent = size ? Math.floor((sent / size) * 100) : 0;
    if (state === "failed" || (state === "cancelled" && reason)) return reason;
    if (state === "ready" && restored) return this.texts.restored;
    if (state === "sending" && this.line.state !== "open") {
      return fill(this.texts.held, { percent });
    }
    return fill(this.texts[state], { percent });
  }

  #detail({ size, meter }) {
    const all = format.size(size);
    const moves = meter.speed && this.line.state === "open";
    return moves ? `${all} · ${format.speed(meter.speed)}` : all;
  }

  /** Show the file itself if the browser can decode it. Later the server's thumbnail replaces it:
   * it needs less memory. */
  #picture(image, item) {
    if (item.thumbnail && item.done) {
      const address = `${item.thumbnail}?w=320`;
      if (image.src !== new URL(address, location.href).href) image.src = address;
    } else if (item.state === "sending" && !item.isArchive && image.src === BLANK) {
      const address = URL.createObjectURL(item.file);
      image.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
      image.addEventListener("error", () => (image.src = BLANK), { once: true });
      image.src = address;
    }
  }
}

/** Set a text only if it differs: screen readers read out a text that is set again. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
