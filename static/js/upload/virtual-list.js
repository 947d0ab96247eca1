// A list of any length. The document contains only the visible rows and some around them. The
// custom property --row is the height of all rows.
//
// The list is one stop of the Tab key. Arrows, Home and End move between rows, and Tab goes to the
// controls of the current row.

const AROUND = 8; // rows beyond each edge of the window

export class VirtualList {
  #items = [];
  #rows = new Map();
  #current = null;
  #scheduled = false;

  /** `make()` returns an empty row, and `draw(row, item)` fills it. */
  constructor(list, { make, draw }) {
    this.list = list;
    this.make = make;
    this.draw = draw;
    addEventListener("scroll", () => this.#schedule(), { passive: true });
    addEventListener("resize", () => this.#schedule());
    list.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("focusin", ({ target }) => this.#focused(this.itemOf(target)));
  }

  /** Show `items` and update the rows in the document. */
  show(items) {
    this.#items = items;
    this.#render();
  }

  update(item) {
    const row = this.#rows.get(item);
    if (row) this.#fill(row, item);
  }

  itemOf(element) {
    return this.list.contains(element) ? element.closest("li")?.item : undefined;
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#render();
    });
  }

  get #height() {
    return parseFloat(getComputedStyle(this.list).getPropertyValue("--row"));
  }

  #render() {
    const height = this.#height;
    this.list.style.height = `${this.#items.length * height}px`;
    const shown = this.#inSight(height);
    const hadFocus = this.list.contains(document.activeElement);
    for (const [item, row] of this.#rows) {
      if (shown.has(item)) continue;
      row.remove();
      this.#rows.delete(item);
    }
    let next = this.list.firstElementChild;
    for (const [item, index] of shown) {
      const row = this.#row(item);
      if (row === next) next = row.nextElementSibling;
      else this.list.insertBefore(row, next);
      row.style.top = `${index * height}px`;
      row.ariaPosInSet = index + 1;
      row.ariaSetSize = this.#items.length;
      this.#fill(row, item);
    }
    const lost = hadFocus && !this.list.contains(document.activeElement);
    if (lost) this.#rows.get(this.#current)?.focus();
  }

  /** Return item -> index of the rows to draw, in order. The focused row is always one of them. */
  #inSight(height) {
    const top = -this.list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / height) - AROUND);
    const last = Math.max(first, Math.ceil((top + innerHeight) / height) + AROUND);
    /** @type {[object, number][]} */
    const shown = this.#items.slice(first, last).map((item, index) => [item, first + index]);
    const focused = this.itemOf(document.activeElement);
    const at = this.#items.indexOf(focused);
    if (at >= 0 && at < first) shown.unshift([focused, at]);
    if (at >= last) shown.push([focused, at]);
    if (!shown.some(([item]) => item === this.#current)) this.#current = shown[0]?.[0] ?? null;
    return new Map(shown);
  }

  #row(item) {
    if (!this.#rows.has(item)) {
      const row = this.make();
      row.item = item;
      this.#rows.set(item, row);
    }
    return this.#rows.get(item);
  }

  #fill(row, item) {
    const inUse = /** @type {HTMLElement | null} */ (document.activeElement);
    this.draw(row, item);
    const stop = item === this.#current ? 0 : -1;
    row.tabIndex = stop;
    for (const control of row.querySelectorAll("a, button")) control.tabIndex = stop;
    // The used control is hidden now: its row takes the focus.
    if (inUse?.hidden && row.contains(inUse)) row.focus();
  }

  #focused(item) {
    if (!item || item === this.#current) return;
    const former = this.#current;
    this.#current = item;
    this.update(former);
    this.update(item);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.#items.indexOf(this.#current);
    const page = Math.max(1, Math.floor(innerHeight / 2 / this.#height));
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: this.#items.length - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#go(Math.min(Math.max(to, 0), this.#items.length - 1));
  }

  #go(index) {
    const height = this.#height;
    const top = this.list.getBoundingClientRect().top + index * height;
    const item = this.#items[index];
    this.#focused(item);
    if (top < innerHeight * 0.25 || top + height > innerHeight * 0.9) {
      scrollBy({ top: top - innerHeight / 2, behavior: "instant" });
    }
    this.#render();
    this.#rows.get(item).focus({ preventScroll: true });
  }
}
