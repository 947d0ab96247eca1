// What is selected: some pictures one by one, or all that a list holds but some.

/** The most that the server takes by id; beyond it there is "all". */
export const MOST = 1000;

export class Selection {
  /** `source` is how the server finds everything: {all, filters} or {search}. */
  constructor(source) {
    this.source = source;
    this.clear();
  }

  clear() {
    this.active = false;
    this.whole = false;
    this.total = 0;
    this.ids = new Set();
    this.except = new Set();
  }

  has(id) {
    return this.whole ? !this.except.has(id) : this.ids.has(id);
  }

  /** False if there is no room for one more. */
  set(id, on) {
    const listed = this.whole ? this.except : this.ids;
    const wanted = this.whole ? !on : on;
    if (wanted && !listed.has(id) && listed.size >= MOST) return false;
    if (wanted) listed.add(id);
    else listed.delete(id);
    this.active ||= on;
    return true;
  }

  /** Everything that the list holds, loaded or not: `total` pictures. */
  selectWhole(total) {
    this.clear();
    this.active = true;
    this.whole = true;
    this.total = total;
  }

  get count() {
    return this.whole ? Math.max(0, this.total - this.except.size) : this.ids.size;
  }

  /** As the API takes it. */
  get spec() {
    if (!this.whole) return { ids: [...this.ids] };
    return { ...this.source, except: [...this.except] };
  }
}
