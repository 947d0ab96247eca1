// Imports that run in a worker of the server: ZIP files and addresses.

import { fill } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

const SOONEST = 1000;
const LATEST = 15_000;
const RECENT = 24 * 3600 * 1000;
const RUNNING = ["pending", "running"];
const template = document.getElementById("import-row");

export class Imports {
  #rows = new Map();
  #list = document.getElementById("imports");

  /** `ended()` is called after each finished import. */
  constructor({ url, line, texts, ended }) {
    this.url = url;
    this.line = line;
    this.texts = texts;
    this.ended = ended;
    this.#list.addEventListener("click", ({ target }) => this.#clicked(target));
  }

  /** Show running and recently finished imports. */
  async recall() {
    const { status, body } = await this.line.insist("GET", this.url);
    if (status !== 200) return;
    const recent = ({ finished_at: at }) => !at || Date.parse(at) > Date.now() - RECENT;
    for (const batch of body.results.filter(recent).reverse()) this.#show(batch);
  }

  /** Import from addresses. Resolves to a sentence if the server refuses it, else to "". */
  async start({ urls, visibility, album }) {
    const { status, body } = await this.line.post(this.url, {
      urls,
      visibility,
      album: album || null,
    });
    if (status >= 300) return sentence(body) || this.texts.server;
    this.#show(body);
    return "";
  }

  /** Show the import `id` from now on. */
  async follow(id) {
    const { status, body } = await this.line.insist("GET", `${this.url}${id}/`);
    if (status === 200) this.#show(body);
  }

  #show(batch) {
    const row = this.#rows.get(batch.id) ?? this.#make(batch);
    const ran = row.batch && RUNNING.includes(row.batch.state);
    const running = RUNNING.includes(batch.state);
    if (row.batch && changed(row.batch, batch)) row.wait = SOONEST;
    row.batch = batch;
    draw(row, batch, this.texts);
    clearTimeout(row.timer);
    if (running) this.#followOn(row);
    else if (ran) this.ended();
  }

  #make(batch) {
    const row = template.content.firstElementChild.cloneNode(true);
    row.wait = SOONEST;
    const name = batch.name || this.texts.addresses;
    row.querySelector("[data-name]").textContent = name;
    row.querySelector("progress").setAttribute("aria-label", fill(this.texts.importOf, { name }));
    this.#rows.set(batch.id, row);
    this.#list.prepend(row);
    this.#list.hidden = false;
    return row;
  }

  /** Schedule the next request: soon during progress, less often while nothing changes. */
  #followOn(row) {
    row.timer = setTimeout(() => this.follow(row.batch.id), row.wait);
    row.wait = Math.min(row.wait * 1.3, LATEST);
  }

  async #clicked(target) {
    const row = target.closest(".import-row");
    const action = target.closest("[data-action]")?.dataset.action;
    if (!action) return;
    if (action === "hide") return this.#hide(row);
    const answer = await this.line.post(`${this.url}${row.batch.id}/${action}/`);
    if (answer.status >= 300) toast(sentence(answer.body) || this.texts.server);
    row.wait = SOONEST;
    await this.follow(row.batch.id);
  }

  #hide(row) {
    this.#rows.delete(row.batch.id);
    row.remove();
    this.#list.hidden = !this.#rows.size;
  }
}

const settled = ({ added, duplicates, failed, left_out: leftOut }) =>
  added + duplicates + failed + leftOut;
const changed = (before, after) => settled(before) !== settled(after);
const sentence = (body) => body?.errors?.map((error) => error.detail).join(" ");

function draw(row, batch, texts) {
  const part = (selector) => row.querySelector(selector);
  const running = RUNNING.includes(batch.state);
  row.dataset.state = batch.state;
  part("[data-state-text]").textContent = texts.imports[batch.state];
  const counts = batch.left_out ? texts.importCountsWithOthers : texts.importCounts;
  part("[data-counts]").textContent = batch.total
    ? fill(counts, { ...batch, done: settled(batch) })
    : "";
  part("[data-error]").textContent = batch.error ?? "";
  const progress = part("progress");
  progress.hidden = !running;
  if (batch.total) progress.value = settled(batch) / batch.total;
  else progress.removeAttribute("value");
  part("[data-action=cancel]").hidden = !running;
  part("[data-action=retry]").hidden = !batch.can_retry;
  part("[data-action=hide]").hidden = running;
  const details = part("details");
  details.hidden = !batch.failures?.length;
  part("ul").replaceChildren(...(batch.failures ?? []).map(failure));
}

function failure({ source, error }) {
  const line = document.createElement("li");
  const name = document.createElement("strong");
  name.textContent = source;
  line.append(name, " ", error);
  return line;
}
