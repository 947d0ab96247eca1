// A slideshow up to the last picture. It plays only while the page is visible. The time of a
// picture begins when the picture is loaded.

const KEYS = { seconds: "slideshow-seconds", order: "slideshow-order" };

export class Slideshow {
  /** `next()` resolves to whether there is a next picture. `ended()` is called if there is none.
   *  `controls` contains the choices of seconds and order. */
  constructor({ stage, controls, next, ended }) {
    this.stage = stage;
    this.next = next;
    this.ended = ended;
    this.playing = false;
    this.seconds = this.#choice(controls, "seconds");
    this.orders = this.#choice(controls, "order");
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.timer);
      if (this.playing && !document.hidden) this.#wait();
    });
  }

  /** "forwards", "backwards" or "shuffled". */
  get order() {
    return this.orders.value;
  }

  /** Return a select whose value lasts. */
  #choice(controls, name) {
    const select = controls.querySelector(`[name=${name}]`);
    const known = [...select.options].map((option) => option.value);
    if (known.includes(kept(KEYS[name]))) select.value = kept(KEYS[name]);
    select.addEventListener("change", () => {
      keep(KEYS[name], select.value);
      if (this.playing) this.#wait();
    });
    return select;
  }

  toggle() {
    if (this.playing) this.stop();
    else this.play();
  }

  play() {
    this.#set(true);
    this.#wait();
  }

  stop() {
    clearTimeout(this.timer);
    this.#set(false);
  }

  /** Begin the time of a new picture, however it was reached. */
  shown() {
    if (this.playing) this.#wait();
  }

  #wait() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#goOn(), Number(this.seconds.value) * 1000);
  }

  async #goOn() {
    if (await this.next()) return this.shown();
    if (!this.playing) return; // stopped meanwhile
    this.stop();
    this.ended();
  }

  #set(playing) {
    this.playing = playing;
    this.stage.classList.toggle("playing", playing);
    this.stage.dispatchEvent(new CustomEvent("slideshow:changed", { detail: { playing } }));
  }
}

function kept(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is forbidden
  }
}

function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage is forbidden: the choice lasts for this page.
  }
}
