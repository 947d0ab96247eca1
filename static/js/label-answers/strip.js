// The answer strip: shows twelve pictures, takes answers by keys and buttons, and sends them.

import { fill } from "clipsite/base/messages";
import { onKey } from "clipsite/base/keyboard";
import { toast } from "clipsite/base/toast";
import { Batches } from "clipsite/label-answers/batches";
import { deliver, questions } from "clipsite/label-answers/delivery";
import { Outbox } from "clipsite/label-answers/outbox";

const config = JSON.parse(document.getElementById("strip-config").textContent);
const { texts } = config;
const strip = document.getElementById("strip");
const list = strip.querySelector("[data-pictures]");
const large = strip.querySelector("[data-large]");
const status = document.getElementById("strip-status");
const notice = document.getElementById("strip-notice");
const figures = document.getElementById("figures");

const WIDTH = 640;
const LARGE = 1280;
const AGAIN = 3000; // ms
const SPARE = 1.5; // of the pictures that are asked for, some may be known
const VERDICTS = { yes: true, no: false };
const MARKS = { yes: "✓", no: "✕", skip: "–" };

const counted = (forms, count) => fill(forms[count === 1 ? 0 : 1], { count });

const batches = new Batches(config.count);
let loading = false;
let finished = false;
let isStale = false; // the figures do not know answers that they should know

const outbox = new Outbox({
  owner: config.owner,
  storage: storage(),
  send: deliver,
  changed: tell,
  refused: (detail) => detail && toast(detail),
});

function storage() {
  try {
    return localStorage;
  } catch {
    return null; // forbidden
  }
}

// --- Questions ---

/** Load the batch after the last one, so that it is there when it is needed. */
async function load() {
  if (loading || finished || batches.hasNext) return;
  loading = true;
  // The server asks again what has no answer yet, so that has to be asked for besides.
  const wanted = Math.min(config.count * SPARE + batches.unanswered, config.most);
  const found = await questions(config.questions, config.category, wanted);
  loading = false;
  if (found.status !== 200) return later(found);
  if (batches.add(found.results.map(itemOf))) preload(batches.all.at(-1));
  else finished = true;
  if (batches.isDone) batches.next();
  draw();
}

function later({ status: code, detail }) {
  const isFinal = code >= 400 && code < 500 && code !== 429;
  note(isFinal && detail ? detail : texts.away, !isFinal);
  if (!isFinal) setTimeout(load, AGAIN);
}

const itemOf = ({ image, picture, reason }) => ({
  image,
  reason,
  src: `${picture.urls.thumbnail}?w=${WIDTH}`,
  large: `${picture.urls.thumbnail}?w=${LARGE}`,
  name: picture.title || picture.original_name || texts.untitled,
});

function preload(items) {
  for (const { src } of items) new Image().src = src;
}

// --- Answers ---

function say(said) {
  // Quick fingers, while the next batch is on its way, must not answer the last picture again.
  if (!batches.open) return false;
  send(batches.say(said));
  goOn();
  return true;
}

function sayRest(said) {
  if (!batches.open) return false;
  for (const item of batches.sayRest(said)) send(item);
  goOn();
  return true;
}

/** A skipped picture gets no answer, and loses one that it had before.
 * @param {import("clipsite/label-answers/batches").Item} item */
function send({ image, said }) {
  outbox.add({ address: config.answers, image, category: config.category, verdict: VERDICTS[said] ?? null });
}

function takeBack() {
  const taken = batches.undo();
  if (!taken) return false;
  send(taken.item);
  outbox.flush();
  draw();
  focusPicture();
  return true;
}

/** Send the answers. After the last picture of a batch show the next one, and what is known now. */
async function goOn() {
  const { isDone } = batches;
  isStale ||= isDone;
  if (isDone) batches.next();
  draw();
  if (hasFocus()) focusPicture();
  await outbox.flush();
  if (isDone || batches.open <= config.count / 2) load();
}

// --- What is shown ---

function draw() {
  const { current, at, item } = batches;
  strip.hidden = !current.length;
  if (batches.isDone && !batches.hasNext) note(finished ? texts.finished : texts.loading, !finished);
  else if (!current.length && finished) note(texts.nothing, false);
  else note("", false);
  strip.querySelector("[data-undo]").disabled = !batches.canUndo;
  for (const button of strip.querySelectorAll("[data-rest]")) button.disabled = !batches.open;
  if (list.children.length !== current.length) list.replaceChildren(...current.map(() => pictureElement()));
  current.forEach((one, place) => drawPicture(list.children[place], one, place, place === at));
  if (item) drawLarge(item, at);
}

function pictureElement() {
  const row = document.createElement("li");
  row.className = "strip-picture";
  row.innerHTML = '<button type="button"><img alt="" decoding="async"><span aria-hidden="true"></span></button>';
  return row;
}

function drawPicture(row, item, place, isCurrent) {
  const [button] = row.children;
  const picture = row.querySelector("img");
  if (picture.getAttribute("src") !== item.src) picture.src = item.src;
  row.dataset.said = item.said;
  row.querySelector("span").textContent = MARKS[item.said] ?? "";
  button.tabIndex = isCurrent ? 0 : -1;
  if (isCurrent) button.setAttribute("aria-current", "true");
  else button.removeAttribute("aria-current");
  const answer = { yes: texts.yes, no: texts.no, skip: texts.skipped }[item.said] ?? texts.open;
  const values = { number: place + 1, count: batches.current.length, name: item.name, answer };
  button.setAttribute("aria-label", fill(texts.picture, values));
  if (isCurrent && isScrolled()) row.scrollIntoView({ block: "nearest", inline: "center" });
}

const isScrolled = () => list.scrollWidth > list.clientWidth;

function drawLarge(item, at) {
  if (large.dataset.of !== item.image) {
    large.dataset.of = item.image;
    // The small copy is there already, and is shown until the large one is.
    large.src = item.src;
    const wanted = new Image();
    wanted.addEventListener("load", () => {
      if (large.dataset.of === item.image) large.src = item.large;
    });
    wanted.src = item.large;
  }
  large.alt = item.name;
  strip.querySelector("[data-place]").textContent = fill(texts.place, { number: at + 1, count: batches.current.length });
  strip.querySelector("[data-why]").textContent = texts[item.reason];
}

function note(text, isBusy) {
  notice.hidden = !text;
  if (notice.textContent.trim() === text) return;
  notice.textContent = ` ${text}`;
  if (isBusy) notice.prepend(Object.assign(document.createElement("span"), { className: "spinner" }));
}

/** Say whether the answers are saved. */
function tell(state, waiting) {
  status.dataset.state = state;
  if (state === "saved") status.textContent = batches.canUndo ? texts.saved : "";
  else if (state === "saving") status.textContent = texts.saving;
  else status.textContent = counted(state === "waiting" ? texts.waiting : texts.signedOut, waiting);
  if (state !== "saved" || !isStale) return;
  isStale = false;
  window.htmx.trigger(figures, "refresh");
}

// --- Keys and buttons ---

const hasFocus = () => list.contains(document.activeElement);
const focusPicture = () => list.children[batches.at]?.querySelector("button").focus({ preventScroll: true });

/** Go to another picture. Rows are as the page lays them out. */
function go(step) {
  batches.go(batches.at + step);
  draw();
  focusPicture();
  return true;
}

function columns() {
  const [first, ...others] = list.querySelectorAll("li");
  const below = others.findIndex((row) => row.offsetTop > first.offsetTop);
  return below < 0 ? list.children.length : below + 1;
}

onKey("y", () => say("yes"));
onKey("n", () => say("no"));
onKey("s", () => say("skip"));
onKey("u", takeBack);
onKey("Y", () => sayRest("yes"));
onKey("N", () => sayRest("no"));
onKey("ArrowLeft", () => go(-1));
onKey("ArrowRight", () => go(1));
onKey("ArrowUp", () => go(-columns()));
onKey("ArrowDown", () => go(columns()));

strip.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  const { say: said, rest } = button.dataset;
  if (said) say(said);
  else if (rest) sayRest(rest);
  else if ("undo" in button.dataset) takeBack();
  else {
    batches.go([...list.children].indexOf(button.closest("li")));
    draw();
  }
});

document.addEventListener("change", ({ target }) => {
  if (target.closest("[data-goes]")) target.form.requestSubmit();
});
window.addEventListener("online", () => {
  outbox.flush();
  load();
});

// What an earlier page could not send goes first: it is not asked again then.
isStale = outbox.waiting > 0;
await outbox.flush();
await load();
