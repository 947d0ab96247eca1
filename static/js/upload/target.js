// The target of the next pictures: their visibility and album.

import { toast } from "clipsite/base/toast";

const NEW = "new";
const album = document.getElementById("album");
const title = document.getElementById("album-title");
const field = document.getElementById("album-new");
const error = document.getElementById("album-error");

export class Target {
  #creating = null;

  constructor({ url, line, texts }) {
    this.url = url;
    this.line = line;
    this.texts = texts;
    album.addEventListener("change", () => this.#chosen());
    document.getElementById("album-create").addEventListener("click", () => this.#create());
    title.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing) return;
      event.preventDefault();
      this.#create();
    });
    this.#chosen(); // the browser may have restored an earlier choice
  }

  /** Resolves to {visibility, album}. A new album is created first. If the server refuses it, the
   * field shows the reason, and the pictures wait for another choice. */
  async choice() {
    while (album.value === NEW && !(await this.#create())) {
      await new Promise((resolve) => album.addEventListener("change", resolve, { once: true }));
    }
    const { value: visibility } = document.querySelector("input[name=visibility]:checked");
    return { visibility, album: album.value };
  }

  #chosen() {
    field.hidden = album.value !== NEW;
    this.#explain("");
    if (!field.hidden) title.focus();
  }

  /** Create the album. Resolves to whether this succeeded. */
  #create() {
    this.#creating ??= this.#made().finally(() => (this.#creating = null));
    return this.#creating;
  }

  async #made() {
    const name = title.value.trim();
    if (!name) return this.#explain(this.texts.nameAlbum);
    const { status, body } = await this.line.post(this.url, { title: name });
    if (status !== 201) {
      const sentences = body?.errors?.map(({ detail }) => detail).join(" ");
      return this.#explain(sentences || this.texts.server);
    }
    album.lastElementChild.before(new Option(body.title, body.id));
    album.value = body.id;
    title.value = "";
    album.dispatchEvent(new Event("change"));
    toast(this.texts.albumMade);
    return true;
  }

  #explain(sentence) {
    error.textContent = sentence;
    error.hidden = !sentence;
    title.setAttribute("aria-invalid", String(Boolean(sentence)));
    if (sentence) title.focus();
    return false;
  }
}
