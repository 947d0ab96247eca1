// The notice above the list about the reason of a pause: no connection, a busy server, signed out.

import { fill } from "clipsite/base/messages";
import { duration } from "clipsite/upload/format";

const box = document.getElementById("notice");
const text = box.querySelector("p");
const tryNow = box.querySelector("[data-try-now]");
const signIn = box.querySelector("[data-sign-in]");
const seconds = box.querySelector("[data-seconds]");

export class Notice {
  #timer = null;

  constructor({ line, texts }) {
    this.line = line;
    this.texts = texts;
    tryNow.addEventListener("click", () => line.tryNow());
  }

  show() {
    const { state } = this.line;
    box.hidden = state === "open";
    tryNow.hidden = state !== "lost";
    signIn.hidden = state !== "signedOut";
    if (state !== "open") text.textContent = this.texts[state];
    clearInterval(this.#timer);
    this.#count();
    if (state === "lost" || state === "busy") this.#timer = setInterval(() => this.#count(), 500);
  }

  /** Show the countdown outside the sentence, so that this is read out once and not every second.
   * */
  #count() {
    const left = (this.line.until - Date.now()) / 1000;
    seconds.hidden = this.line.state === "signedOut";
    seconds.textContent =
      left > 0 ? fill(this.texts.nextTry, { time: duration(left) }) : this.texts.trying;
  }
}
