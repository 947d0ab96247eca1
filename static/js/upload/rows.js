// The rows of the upload page. Thousands of files are no trouble: rows off screen
// are not laid out (content-visibility), and only the next few hundred exist.

import { fill } from "clipsite/messages";

const AHEAD = 200;
const BLANK = document.getElementById("upload-row").content.querySelector("img").src;

export class Rows {
  #rows = new Map();
  #list = document.getElementById("uploads");
  #beyond = document.getElementById("beyond");
  #template = document.getElementById("upload-row");
  #shown = 0;

  constructor(queue, texts) {
    Object.assign(this, { queue, texts });
    this.#list.addEventListener("click", (event) => this.#clicked(event.target));
  }

  /** Draw `item`; rows are made as far as the uploads have come, and some more. */
  update(item) {
    const tried = item.state === "uploading" || item.state === "failed";
    this.#extend((tried ? item.number : 0) + AHEAD);
    const row = this.#rows.get(item);
    if (row) this.#draw(row, item);
  }

  #extend(end) {
    const fresh = this.queue.items.slice(this.#shown, Math.max(this.#shown, end));
    this.#append(fresh);
    this.#shown += fresh.length;
    const count = this.queue.items.length - this.#shown;
    this.#beyond.hidden = count === 0;
    if (count) this.#beyond.textContent = fill(this.texts.beyond, { count });
  }

  #append(items) {
    const fragment = document.createDocumentFragment();
    for (const item of items) {
      const row = this.#make(item);
      this.#rows.set(item, row);
      this.#draw(row, item);
      fragment.append(row);
    }
    this.#list.append(fragment);
  }

  #make(item) {
    const row = this.#template.content.firstElementChild.cloneNode(true);
    const { name } = item.file;
    row.item = item;
    row.querySelector(".upload-name").textContent = name;
    row.querySelector(".upload-name").title = item.file.webkitRelativePath || name;
    row.querySelector("progress").setAttribute("aria-label", fill(this.texts.progressOf, { name }));
    const { cancelOne, retryOne } = this.texts;
    row.querySelector("[data-cancel]").setAttribute("aria-label", fill(cancelOne, { name }));
    row.querySelector("[data-retry]").setAttribute("aria-label", fill(retryOne, { name }));
    return row;
  }

  #draw(row, item) {
    const { state } = item;
    row.dataset.state = state;
    row.querySelector("[data-text]").textContent = item.text;
    const progress = row.querySelector("progress");
    progress.hidden = state !== "uploading" && state !== "pending";
    if (state === "pending") progress.removeAttribute("value");
    else progress.value = item.progress;
    const open = row.querySelector("[data-open]");
    open.hidden = !item.page;
    if (item.page) open.href = item.page;
    row.querySelector("[data-cancel]").hidden = state !== "waiting" && state !== "uploading";
    row.querySelector("[data-retry]").hidden =
      state !== "cancelled" && (state !== "failed" || Boolean(item.kept));
    this.#picture(row.querySelector("img"), item);
  }

  /** First the file itself, as far as the browser can decode it, then the server's
   * thumbnail, which costs less to keep. */
  #picture(thumbnail, item) {
    const { state } = item;
    if (item.thumbnail && (state === "ready" || state === "duplicate")) {
      const address = `${item.thumbnail}?w=320`;
      if (thumbnail.src !== address) thumbnail.src = address;
    } else if (state === "uploading" && thumbnail.src === BLANK) {
      const address = URL.createObjectURL(item.file);
      thumbnail.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
      thumbnail.addEventListener("error", () => (thumbnail.src = BLANK), { once: true });
      thumbnail.src = address;
    }
  }

  #clicked(target) {
    const row = target.closest(".upload-row");
    if (target.closest("[data-retry]")) this.queue.retry(row.item);
    if (target.closest("[data-cancel]")) this.queue.cancel(row.item);
  }
}
