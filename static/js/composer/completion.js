// The search bar as a combobox with a list of suggestions (WAI-ARIA 1.2): completions at the caret,
// then matching saved and recent searches.

import { ask, NoAnswer } from "clipsite/base/ask";
import { fill } from "clipsite/base/messages";

const PATIENCE = 120; // ms without typing

export class Completion {
  /** `form` contains the field and `[role=listbox]`; its data attributes are the addresses. */
  constructor(form) {
    this.form = form;
    this.field = form.querySelector("input[type=search]");
    this.list = form.querySelector("[role=listbox]");
    this.status = form.querySelector("[role=status]");
    this.options = [];
    this.at = -1;
    this.#announce();
    this.#listen();
  }

  /** The text before the caret. */
  get #before() {
    return this.field.value.slice(0, this.field.selectionStart ?? undefined);
  }

  get open() {
    return !this.list.hidden;
  }

  #announce() {
    const { field } = this;
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", this.list.id);
    field.setAttribute("aria-expanded", "false");
  }

  #listen() {
    const { field, list } = this;
    field.addEventListener("input", (event) => !event.isComposing && this.#typed());
    field.addEventListener("compositionend", () => this.#typed());
    field.addEventListener("focus", () => !field.value && this.#soon());
    field.addEventListener("blur", () => this.close());
    field.addEventListener("keydown", (event) => this.#key(event));
    this.form.addEventListener("submit", () => this.close());
    // The field keeps the focus.
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.#take(this.options[[...list.children].indexOf(option)]);
    });
  }

  /** Between two words no list opens by itself; the down arrow still opens it. */
  #typed() {
    const before = this.#before;
    const isQuoted = before.split('"').length % 2 === 0;
    if (/\S\s+$/.test(before) && !isQuoted) this.close();
    else this.#soon();
  }

  #soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#suggest(), PATIENCE);
  }

  async #suggest() {
    this.control?.abort();
    const { signal } = (this.control = new AbortController());
    try {
      const typed = this.field.value.trim();
      const found = await Promise.all([typed ? this.#complete(signal) : [], this.#recent(typed, signal)]);
      if (document.activeElement === this.field) this.#show(found.flat());
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof NoAnswer)) throw error;
      this.close(); // suggestions are optional
    }
  }

  /** Fetch completions at the caret. */
  async #complete(signal) {
    const { value } = this.field;
    const asked = new URLSearchParams({ q: value, at: String([...this.#before].length) });
    const answer = await ask(`${this.form.dataset.complete}?${asked}`, { signal });
    return answer.ok ? JSON.parse(answer.text).options : [];
  }

  /** Fetch saved and recent searches that match `typed`, as HTML. */
  async #recent(typed, signal) {
    const { recent } = this.form.dataset;
    if (!recent) return [];
    const answer = await ask(`${recent}?${new URLSearchParams({ q: typed })}`, { headers: { "HX-Request": "true" }, signal });
    if (!answer.ok) return [];
    const holder = document.createElement("template");
    holder.innerHTML = answer.text;
    return [...holder.content.querySelectorAll("[data-run]")].map((item) => {
      const [name, words] = ["strong", "span"].map((part) => item.querySelector(part)?.textContent);
      const pictures = [...item.querySelectorAll("img")];
      return { run: item.dataset.run, label: name ?? words, hint: name && words, icon: item.querySelector("svg"), pictures };
    });
  }

  #show(options) {
    this.options = options;
    this.list.replaceChildren(...options.map((option, index) => this.#draw(option, index)));
    this.list.hidden = !options.length;
    this.field.setAttribute("aria-expanded", String(this.open));
    const told = fill(this.status.dataset.text, { count: options.length });
    this.status.textContent = options.length ? told : "";
    this.#mark(-1);
  }

  #draw({ label, hint, colour, icon, pictures }, index) {
    const item = document.createElement("li");
    item.id = `${this.list.id}-${index}`;
    item.className = "completion";
    item.setAttribute("role", "option");
    if (icon) item.append(icon);
    if (pictures) item.append(...pictures);
    if (colour) {
      const swatch = document.createElement("i");
      swatch.className = "swatch";
      swatch.style.setProperty("--swatch", colour);
      item.append(swatch);
    }
    for (const [name, text] of [["label", label], ["hint", hint]]) {
      if (!text) continue;
      const part = document.createElement("span");
      part.className = `completion-${name}`;
      part.textContent = text;
      item.append(part);
    }
    return item;
  }

  /** Mark option `at`, which Enter takes; -1 marks none. */
  #mark(at) {
    this.at = at;
    [...this.list.children].forEach((item, index) => item.setAttribute("aria-selected", index === at));
    const active = this.list.children[at];
    if (active) {
      this.field.setAttribute("aria-activedescendant", active.id);
      active.scrollIntoView({ block: "nearest" });
    } else this.field.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const count = this.options.length;
    const used = {
      ArrowDown: () => (this.open ? this.#mark((this.at + 2) % (count + 1) - 1) : this.#soon(), true),
      ArrowUp: () => this.open && (this.#mark((this.at + count + 1) % (count + 1) - 1), true),
      Enter: () => this.open && this.at >= 0 && (this.#take(this.options[this.at]), true),
      Escape: () => this.open && (this.close(), true),
    }[event.key]?.();
    if (!used) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #take(option) {
    this.close();
    if (option.run) return location.assign(option.run); // a whole search, including pictures
    this.field.value = option.line;
    const caret = [...option.line].slice(0, option.at).join("").length;
    this.field.setSelectionRange(caret, caret);
    if (option.goes_on) this.#soon();
  }

  close() {
    clearTimeout(this.timer);
    this.control?.abort();
    this.#show([]);
  }
}
