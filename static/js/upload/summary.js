// The summary of all uploads in one line (number, size, speed, time left), and the filter of the
// list below it.

import { fill } from "clipsite/base/messages";
import * as format from "clipsite/upload/format";
import { STATES } from "clipsite/upload/item";

const OFTEN = 250; // milliseconds between two updates
const READ_OUT = 10_000; // milliseconds between two updates that are read out, except the last one
const element = (id) => document.getElementById(id);

/** The items of each filter. */
const PARTS = {
  all: () => true,
  open: (item) => item.open || item.state === "pending" || item.state === "missing",
  failed: (item) => item.state === "failed" || item.state === "cancelled",
  done: (item) => ["ready", "duplicate", "unpacking"].includes(item.state),
};

export class Summary {
  #scheduled = false;
  #part = "all";
  #readOut = 0;

  /** `show(items)` is called with the items of the chosen filter. */
  constructor({ queue, texts, show }) {
    this.queue = queue;
    this.texts = texts;
    this.show = show;
    const filters = element("parts");
    filters.addEventListener("change", ({ target }) => {
      this.#part = target.value;
      this.#update();
    });
    this.numbers = new Map(
      [...filters.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]),
    );
  }

  /** Schedule an update, one for many changes. */
  changed() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      this.#update();
      if (this.queue.meter.speed) this.changed(); // time goes on without events
    }, OFTEN);
  }

  #update() {
    const sums = summed(this.queue.items);
    const { states, busy } = sums;
    element("queue").hidden = !this.queue.items.length;
    element("overall").value = sums.all ? sums.sent / sums.all : 1;
    this.#tell(this.#sentence(sums), busy);
    say(element("pace"), busy ? this.#pace(sums) : "");
    const some = (test) => this.queue.items.some(test);
    element("pause-all").hidden = !some((item) => item.pausable);
    element("resume-all").hidden = !states.paused;
    element("retry-all").hidden = !some((item) => item.state === "failed" && item.retriable);
    element("cancel-all").hidden = !some((item) => item.cancellable);
    element("missing").hidden = !states.missing;
    say(element("missing"), fill(this.texts.missingFiles, { count: states.missing }));
    element("done").hidden = busy || !(states.ready + states.duplicate + states.pending);
    this.#filter();
  }

  #tell(sentence, busy) {
    say(element("summary"), sentence);
    if (busy && Date.now() < this.#readOut + READ_OUT) return;
    this.#readOut = Date.now();
    say(element("summary-aloud"), sentence);
  }

  #filter() {
    const { items } = this.queue;
    for (const [part, number] of this.numbers) {
      const count = items.filter(PARTS[part]).length;
      say(number, count.toLocaleString(document.documentElement.lang));
    }
    this.show(items.filter(PARTS[this.#part]));
  }

  #sentence({ states, busy, total }) {
    const { ready, duplicate: duplicates, failed, pending, unpacking } = states;
    const { texts } = this;
    if (!busy && !pending) {
      if (unpacking && !(ready + duplicates + failed)) return texts.unpacking;
      return fill(texts.allDone, { ready, duplicates, failed });
    }
    const done = ready + duplicates + failed + unpacking;
    return [
      fill(texts.summary, { done, all: total }),
      pending ? fill(texts.summaryEncoding, { encoding: pending }) : "",
      failed ? fill(texts.summaryFailed, { failed }) : "",
    ]
      .filter(Boolean)
      .join(" · ");
  }

  #pace({ sent, all }) {
    const speed = this.queue.line.state === "open" ? this.queue.meter.speed : 0;
    const amounts = { sent: format.size(sent), all: format.size(all) };
    const parts = [fill(this.texts.amount, amounts)];
    if (speed) {
      parts.push(format.speed(speed));
      const time = format.duration((all - sent) / speed);
      parts.push(fill(this.texts.timeLeft, { time }));
    }
    return parts.join(" · ");
  }
}

/** Count the items in each state, the bytes to send and the bytes sent. */
function summed(items) {
  const states = Object.fromEntries(STATES.map((state) => [state, 0]));
  let [sent, all, busy] = [0, 0, false];
  for (const item of items) {
    states[item.state] += 1;
    busy ||= item.open;
    if (item.done ? !item.sent : item.state === "missing") continue;
    all += item.size;
    sent += item.sent;
  }
  return { states, busy, sent, all, total: items.length - states.cancelled };
}

function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
