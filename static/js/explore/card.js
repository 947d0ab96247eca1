// A card with the picture under the pointer, its name and a link to its page.

const PATIENCE = 120; // ms before a name is requested
const MARGIN = 12;

export class Card {
  constructor(box, { facts, thumbnail, picture, untitled }) {
    this.box = box;
    this.addresses = { facts, thumbnail, picture };
    this.untitled = untitled;
    this.image = box.querySelector("img");
    this.link = box.querySelector("a");
    this.name = box.querySelector("[data-name]");
    this.names = new Map();
    this.id = null;
  }

  /** Show a picture beside (left, top) of `view`. `said(name)` is called once the name is known. */
  show(id, left, top, view, said = () => {}) {
    if (this.id !== id) {
      this.id = id;
      this.image.src = this.addresses.thumbnail(id);
      this.image.alt = "";
      this.link.href = this.addresses.picture(id);
      this.name.textContent = this.names.get(id) ?? "";
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(id, said), PATIENCE);
    }
    this.box.hidden = false;
    this.put(left, top, view);
  }

  put(left, top, view) {
    const { offsetWidth: width, offsetHeight: height } = this.box;
    const x = left + MARGIN + width < view.width ? left + MARGIN : left - MARGIN - width;
    const y = Math.min(Math.max(top - height / 2, MARGIN), view.height - height - MARGIN);
    this.box.style.translate = `${Math.round(Math.max(x, MARGIN))}px ${Math.round(y)}px`;
  }

  hide() {
    clearTimeout(this.timer);
    this.id = null;
    this.box.hidden = true;
  }

  async ask(id, said) {
    if (!this.names.has(id)) {
      try {
        const answer = await fetch(this.addresses.facts(id));
        if (!answer.ok) return;
        const { title, original_name: file } = await answer.json();
        this.names.set(id, title || file || this.untitled);
      } catch {
        return; // a network problem shows at the picture itself
      }
    }
    const name = this.names.get(id);
    if (this.id !== id) return;
    this.name.textContent = name;
    said(name);
  }
}
