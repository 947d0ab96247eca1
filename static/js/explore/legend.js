// The legend of a map that a label set colours: a button for each category. A click hides its points
// or shows them; under the pointer or the focus they stand out.

export class Legend {
  /** `list` and `row` are the list and the template of a row. `changed()` is called after the user
   * has changed what stands out. */
  constructor(list, row, without, changed) {
    this.list = list;
    this.row = row;
    this.without = without;
    this.changed = changed;
    this.categories = null;
    for (const event of ["pointerover", "focusin"]) list.addEventListener(event, (at) => this.look(at));
    for (const event of ["pointerleave", "focusout"]) list.addEventListener(event, () => this.lookAt(-1));
    list.addEventListener("click", (event) => this.toggle(event.target.closest("button")));
  }

  take(categories) {
    this.categories = categories;
    const numbers = categories.ranked();
    if (categories.counts[0]) numbers.push(0);
    this.list.replaceChildren(...numbers.map((number) => this.draw(number)));
  }

  draw(number) {
    const item = this.row.content.firstElementChild.cloneNode(true);
    const button = item.querySelector("button");
    button.dataset.number = String(number);
    button.setAttribute("aria-pressed", String(!this.categories.hidden.has(number)));
    item.querySelector(".dot").classList.add(`series-${this.categories.series(number)}`);
    item.querySelector("[data-name]").textContent = number ? this.categories.names[number - 1] : this.without;
    item.querySelector(".count").textContent = String(this.categories.counts[number]);
    return item;
  }

  toggle(button) {
    if (!button) return;
    const { hidden } = this.categories;
    const number = Number(button.dataset.number);
    if (!hidden.delete(number)) hidden.add(number);
    button.setAttribute("aria-pressed", String(!hidden.has(number)));
    this.lookAt(-1); // what the click did is seen at once
    this.changed();
  }

  look({ target }) {
    const button = target.closest("button");
    if (button && !this.categories.hidden.has(Number(button.dataset.number))) {
      this.lookAt(Number(button.dataset.number));
    }
  }

  lookAt(number) {
    if (!this.categories || this.categories.looked === number) return;
    this.categories.looked = number;
    this.changed();
  }
}

/** Return [red, green, blue] of a series, as the styles resolve it for `element`. */
export function colourOf(element, series) {
  const probe = document.createElement("i");
  probe.className = `dot series-${series}`;
  probe.style.color = "var(--series)";
  probe.hidden = true;
  element.append(probe);
  const parts = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
  probe.remove();
  return parts;
}
