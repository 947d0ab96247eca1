// The queue of uploads: the state of each file, and how many are sent at once.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

globalThis.location = new URL("https://gallery.example/upload/");
globalThis.document = { cookie: "" };

const { Queue } = await import("clipsite/upload/queue");
const { toasts } = await import("./stand-ins/toast.js");

const PLACE = { visibility: "private", album: "" };
const texts = { unreadable: "It cannot be read.", server: "The server failed.", gone: "It is gone." };
const image = (id, state = "ready") => ({ id, state, urls: { page: `/images/${id}/`, thumbnail: `/images/${id}/thumbnail/` } });
const answer = (status, body = null, headers = {}) => ({ status, body, header: (name) => headers[name] ?? null });
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Takes each upload when it is released, and answers with its entry in `outcomes`, by name. */
class Server {
  open = 0;
  most = 0;
  created = [];
  outcomes = {};
  gates = [];
  held = false;

  insist = async (method, url, { headers = {}, body, signal } = {}) => {
    if (method === "DELETE") return answer(204);
    if (method === "GET") return this.#outcome(url);
    const name = atob(headers["Upload-Metadata"].match(/filename (\S+?)(,|$)/)[1]);
    this.open += 1;
    this.most = Math.max(this.most, this.open);
    try {
      if (this.held) await this.#gate(signal);
    } finally {
      this.open -= 1;
    }
    this.created.push(name);
    return answer(201, null, { Location: `/api/v1/uploads/${name}/`, "Upload-Offset": String(body.size) });
  };

  request = this.insist;

  letThrough() {
    this.held = false;
    this.gates.splice(0).forEach((open) => open());
  }

  #gate(signal) {
    return new Promise((resolve, reject) => {
      this.gates.push(resolve);
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  }

  #outcome(url) {
    const name = url.split("/").at(-2);
    return answer(200, this.outcomes[name] ?? { state: "done", image: image(name) });
  }
}

let server;
let queue;
let found;
let told;

beforeEach(() => {
  server = new Server();
  found = new Map(); // pictures that are there already, by digest
  told = { batches: [], remembered: [], forgotten: [], added: [], room: "" };
  toasts.length = 0;
  queue = new Queue({
    config: { texts, uploads: "/api/v1/uploads/", images: "/api/v1/images/", passing: ["quota"] },
    line: server,
    gallery: { find: async ({ sha256 }) => found.get(sha256) },
    memory: {
      remember: (items) => told.remembered.push(...items),
      note: () => {},
      forget: (item) => told.forgotten.push(item),
      recall: async () => [],
    },
    usage: { reserve: () => told.room, release: (item, added) => added && told.added.push(item.name) },
    changed: () => {},
    followed: (batch) => told.batches.push(batch),
  });
});

const chosen = (...names) => names.map((name) => ({ file: new File([name], name, { lastModified: 1 }), path: name }));
const states = () => queue.items.map(({ state }) => state);

test("a file is checked, sent and in the gallery", async () => {
  queue.add(chosen("a.jpg"), PLACE);
  assert.deepEqual(states(), ["checking"]);
  await settled();
  assert.deepEqual(states(), ["ready"]);
  assert.equal(queue.items[0].page, "/images/a.jpg/");
  assert.deepEqual(told.forgotten, queue.items);
  assert.ok(!queue.busy);
});

test("two files are sent at once, and each gets its turn", async () => {
  server.held = true;
  queue.add(chosen("a", "b", "c", "d", "e"), PLACE);
  await settled();
  assert.deepEqual(states(), ["sending", "sending", "waiting", "waiting", "waiting"]);
  server.letThrough();
  await settled();
  assert.deepEqual(new Set(states()), new Set(["ready"]));
  assert.equal(server.most, 2);
  assert.deepEqual(server.created.toSorted(), ["a", "b", "c", "d", "e"]);
});

test("a file that the gallery has already is not sent", async () => {
  queue.add(chosen("a.jpg"), PLACE);
  await settled();
  found.set(queue.items[0].sha256, { page: "/images/1/", thumbnail: "/images/1/thumbnail/" });
  queue.add(chosen("a.jpg").map(({ file }) => ({ file, path: "copy/a.jpg" })), PLACE);
  await settled();
  assert.deepEqual(states(), ["ready", "duplicate"]);
  assert.deepEqual(server.created, ["a.jpg"]);
});

test("a file that is being sent is not taken twice", async () => {
  server.held = true;
  assert.equal(queue.add(chosen("a", "b"), PLACE), 0);
  assert.equal(queue.add(chosen("a", "c"), PLACE), 1);
  assert.equal(queue.items.length, 3);
  await settled();
  server.letThrough();
  await settled();
});

test("a file that cannot be read fails, and the next one continues", async () => {
  const broken = { file: { size: 5, lastModified: 1, arrayBuffer: () => Promise.reject(new Error()) }, path: "x" };
  queue.add([broken, ...chosen("a")], PLACE);
  await settled();
  assert.deepEqual(states(), ["failed", "ready"]);
  assert.equal(queue.items[0].reason, texts.unreadable);
  assert.ok(!queue.items[0].retriable);
});

test("a file that does not fit says so, and is taken once there is room", async () => {
  told.room = "There is no room.";
  queue.add(chosen("a"), PLACE);
  await settled();
  assert.deepEqual([states(), queue.items[0].reason], [["failed"], "There is no room."]);
  told.room = "";
  queue.retryAll();
  await settled();
  assert.deepEqual(states(), ["ready"]);
});

test("a paused upload continues, and a cancelled one does not", async () => {
  server.held = true;
  queue.add(chosen("a", "b"), PLACE);
  await settled();
  const [first, second] = queue.items;
  queue.pause(first);
  queue.cancel(second);
  await settled();
  assert.deepEqual(states(), ["paused", "cancelled"]);
  server.letThrough();
  queue.resume(first);
  await settled();
  assert.deepEqual(states(), ["ready", "cancelled"]);
  assert.deepEqual(server.created, ["a"]);
});

test("while all are paused, an added file waits, too", async () => {
  server.held = true;
  queue.add(chosen("a"), PLACE);
  await settled();
  queue.pauseAll();
  queue.add(chosen("b"), PLACE);
  await settled();
  assert.deepEqual(states(), ["paused", "paused"]);
  server.letThrough();
  queue.resumeAll();
  await settled();
  assert.deepEqual(states(), ["ready", "ready"]);
});

test("a refusal is shown in the words of the server", async () => {
  server.outcomes.a = { state: "refused", error: { detail: "No picture.", can_pass: false } };
  queue.add(chosen("a"), PLACE);
  await settled();
  const [item] = queue.items;
  assert.deepEqual([item.state, item.reason, item.retriable, item.url], ["failed", "No picture.", false, ""]);
});

test("a picture whose album was closed is kept and says so", async () => {
  server.outcomes.a = { state: "done", image: image("a"), error: { detail: "The album is closed." } };
  queue.add(chosen("a"), PLACE);
  await settled();
  assert.deepEqual([states(), toasts], [["ready"], ["The album is closed."]]);
});

test("a ZIP file becomes an import", async () => {
  server.outcomes["a.zip"] = { state: "done", batch: "an import" };
  queue.add(chosen("a.zip"), PLACE);
  await settled();
  assert.deepEqual([states(), told.batches], [["unpacking"], ["an import"]]);
});

test("only files that are pictures already count as used", async () => {
  server.outcomes["a.zip"] = { state: "done", batch: "an import" };
  server.outcomes.gone = { state: "done", image: null };
  queue.add(chosen("a.zip", "gone", "b"), PLACE);
  await settled();
  assert.deepEqual([states(), told.added], [["unpacking", "cancelled", "ready"], ["b"]]);
});
