// Evaluation with a folder for each category: the pictures are hashed here, those that the gallery
// does not know are sent one by one, and in the end all of them are judged at once.

import { fill } from "clipsite/base/messages";
import { folderFiles } from "clipsite/upload/files";
import { sha256 } from "clipsite/upload/hasher";

const config = JSON.parse(document.getElementById("evaluate-config").textContent);
const { texts } = config;
const input = document.querySelector("[data-folder]");
const progress = document.querySelector("[data-progress]");
const bar = progress.querySelector("progress");
const told = progress.querySelector("[data-told]");
const problems = document.querySelector("[data-problem]");
const result = document.getElementById("evaluation");
const headers = JSON.parse(document.body.getAttribute("hx-headers"));

const HASHES = 500; // of one request
const LINES = 2; // pictures that are sent at once
const PAUSE = 2000; // ms before another try
const TRIES = 30;

let running = null; // the AbortController of what runs

/** A sentence for the user. */
class Problem extends Error {}

/**
 * A picture, its folder, and what the server knows of it.
 * @typedef {{ file: File, category: string, image?: string, vector?: string, refused?: boolean }} Entry
 */

input.addEventListener("change", async () => {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  const { chosen } = folderFiles(input.files);
  input.value = "";
  problems.replaceChildren();
  progress.hidden = false;
  try {
    await run(chosen.map(entryOf), mine.signal);
  } catch (error) {
    if (mine.signal.aborted) return;
    complain(error instanceof Problem ? error.message : texts.stopped);
  } finally {
    if (running === mine) progress.hidden = true;
  }
});

progress.querySelector("[data-stop]").addEventListener("click", () => {
  running?.abort();
  progress.hidden = true;
});

/** The category is the folder below the chosen one, however deep the file lies. */
const entryOf = ({ file, path }) => {
  const [, category = "", ...rest] = path.split("/");
  return { file, category: rest.length ? category : "" };
};

/** @param {Entry[]} entries */
async function run(entries, signal) {
  const named = entries.filter(({ category }) => category);
  if (!named.length) throw new Problem(texts.flat);
  if (named.length > config.most) throw new Problem(fill(texts.tooMany, { most: config.most }));
  await recognise(named, signal);
  await encode(named.filter(({ image }) => !image), signal);
  const usable = named.filter(({ refused }) => !refused);
  show(texts.computing, 1, 1);
  await judge(usable, signal);
  const refused = named.length - usable.length;
  if (refused) complain(fill(texts.refused, { count: refused }));
}

/** Find the pictures that are in the gallery. */
async function recognise(entries, signal) {
  // Unknown categories are refused before anything is read.
  await ask(config.known, form({ folder: [...new Set(entries.map(({ category }) => category))] }), signal);
  const byHash = new Map();
  for (const [place, entry] of entries.entries()) {
    signal.throwIfAborted();
    show(texts.reading, place, entries.length);
    const hex = await sha256(entry.file).catch(() => "");
    if (!hex) entry.refused = true;
    else byHash.set(hex, [...(byHash.get(hex) ?? []), entry]);
  }
  const hashes = [...byHash.keys()];
  for (let start = 0; start < hashes.length; start += HASHES) {
    const { known } = await ask(config.known, form({ sha256: hashes.slice(start, start + HASHES) }), signal);
    for (const [hex, image] of Object.entries(known)) {
      for (const entry of byHash.get(hex)) entry.image = image;
    }
  }
}

/** Have the other pictures encoded, a few at a time. */
async function encode(entries, signal) {
  const waiting = entries.filter(({ refused }) => !refused);
  let done = 0;
  const all = waiting.length;
  const line = async () => {
    for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
      const data = new FormData();
      data.append("file", entry.file, entry.file.name);
      const answer = await ask(config.picture, data, signal, true);
      if (answer) entry.vector = answer.vector;
      else entry.refused = true;
      done += 1;
      show(texts.encoding, done, all);
    }
  };
  await Promise.all(Array.from({ length: LINES }, line));
}

/** Send what is known of all pictures, and show the result. */
async function judge(entries, signal) {
  const facts = entries.map(({ category, image, vector }) => (image ? { category, image } : { category, vector }));
  const data = new FormData();
  data.append("file", new Blob([JSON.stringify(facts)], { type: "application/json" }), "pictures.json");
  const fragment = { ...headers, "HX-Request": "true" };
  const answer = await fetch(config.folders, { method: "POST", headers: fragment, body: data, signal });
  result.innerHTML = await answer.text();
  for (const picture of result.querySelectorAll("img[data-entry]")) {
    const { file } = entries[Number(picture.dataset.entry)];
    picture.src = URL.createObjectURL(file);
    picture.alt = file.name;
  }
  result.focus({ preventScroll: true });
  result.scrollIntoView({ block: "start" });
}

function form(fields) {
  const data = new FormData();
  for (const [name, values] of Object.entries(fields)) values.forEach((value) => data.append(name, value));
  return data;
}

/** POST and return the answer. Tries again while the server is away. A refusal is a Problem, or
 * null for an answer that `mayRefuse`. */
async function ask(address, body, signal, mayRefuse = false) {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const { status, seconds, json } = await post(address, body, signal);
    if (status === 200 && json) return json;
    if (status >= 400 && status < 500 && status !== 429) {
      if (mayRefuse && status !== 403 && status !== 404) return null;
      throw new Problem(json?.detail ?? texts.stopped);
    }
    told.textContent = texts.away;
    await pause(seconds * 1000 || PAUSE, signal);
  }
  throw new Problem(texts.stopped);
}

async function post(address, body, signal) {
  try {
    const answer = await fetch(address, { method: "POST", headers, body, signal });
    const seconds = Number(answer.headers.get("Retry-After")) || 0;
    return { status: answer.status, seconds, json: await answer.json().catch(() => null) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { status: 0, seconds: 0, json: null };
  }
}

const pause = (time, signal) =>
  new Promise((resolve, reject) => {
    setTimeout(resolve, time);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

function show(text, done, count) {
  told.textContent = fill(text, { done, count });
  bar.max = count;
  bar.value = done;
}

function complain(text) {
  const box = document.createElement("div");
  box.className = "alert";
  box.setAttribute("role", "alert");
  box.append(Object.assign(document.createElement("p"), { textContent: text }));
  problems.append(box);
}

// A cell of the matrix leads to its pictures by its address. The focus goes along.
window.addEventListener("hashchange", () => {
  const cell = document.getElementById(location.hash.slice(1));
  if (cell?.matches(".cell-pictures")) cell.focus();
});
