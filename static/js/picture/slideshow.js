// A slideshow up to the last picture. It plays only while the page is visible. The time of a
// picture begins when the picture is loaded.

const KEY = "slideshow-seconds";

export class Slideshow {
  /** `next()` resolves to whether there is a next picture. `ended()` is called if there is none.
   *  `controls` contains the choice of seconds and a stop button. */
  constructor({ stage, controls, next, ended }) {
    this.stage = stage;
    this.next = next;
    this.ended = ended;
    this.playing = false;
    this.seconds = controls.querySelector("select");
    this.seconds.value = kept() ?? this.seconds.value;
    this.seconds.addEventListener("change", () => {
      keep(this.seconds.value);
      if (this.playing) this.#wait();
    });
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.timer);
      if (this.playing && !document.hidden) this.#wait();
    });
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

function kept() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is forbidden
  }
}

function keep(seconds) {
  try {
    localStorage.setItem(KEY, seconds);
  } catch {
    // Storage is forbidden: the choice lasts for this page.
  }
}
