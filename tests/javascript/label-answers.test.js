// Answers to label sets: none is lost on its way, and the twelve pictures that are asked.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Batches } from "clipsite/label-answers/batches";
import { Outbox } from "clipsite/label-answers/outbox";

/** Storage as browsers have it: keys are properties. */
class Storage {
  getItem(key) {
    return Object.hasOwn(this, key) ? this[key] : null;
  }
  setItem(key, value) {
    this[key] = String(value);
  }
  removeItem(key) {
    delete this[key];
  }
}

/** Keeps the last word on each picture, like the server. `outcomes` are used up first. */
class Server {
  said = new Map();
  requests = [];
  outcomes = [];
  wrong = new Set();

  send = async (address, answers) => {
    this.requests.push(answers.map(({ image }) => image));
    const outcome = this.outcomes.shift();
    if (outcome) return outcome;
    if (answers.some(({ image }) => this.wrong.has(image))) return { status: 400, detail: "It is gone." };
    for (const { image, verdict } of answers) this.said.set(`${address} ${image}`, verdict);
    return { status: 200 };
  };
}

let storage;
let server;
let told;
let refused;

const open = () =>
  new Outbox({
    owner: 1,
    storage,
    send: server.send,
    changed: (state, waiting) => told.push([state, waiting]),
    refused: (detail) => refused.push(detail),
  });
const answer = (image, verdict = true, address = "/a/") => ({ address, image, category: "dog", verdict });

beforeEach(() => {
  storage = new Storage();
  server = new Server();
  told = [];
  refused = [];
});

test("answers are sent together and forgotten when the server has them", async () => {
  const outbox = open();
  outbox.add(answer("one"));
  outbox.add(answer("two", false));
  assert.equal(Object.keys(storage).length, 2);
  await outbox.flush();
  assert.deepEqual(server.requests, [["one", "two"]]);
  assert.equal(server.said.get("/a/ two"), false);
  assert.equal(Object.keys(storage).length, 0);
  assert.deepEqual(told.at(-1), ["saved", 0]);
});

test("the last word on a picture is the last one sent", async () => {
  const outbox = open();
  outbox.add(answer("one", true));
  outbox.add(answer("one", null));
  outbox.add(answer("one", false));
  await outbox.flush();
  assert.equal(server.requests.length, 3);
  assert.equal(server.said.get("/a/ one"), false);
});

for (const outcome of [{ status: 0 }, { status: 503 }, { status: 429, retry: 0.01 }, { status: 500 }]) {
  test(`after ${outcome.status} answers wait and are sent later`, async () => {
    server.outcomes = [outcome];
    const outbox = open();
    outbox.add(answer("one"));
    await outbox.flush();
    assert.deepEqual(told.at(-1), ["waiting", 1]);
    assert.equal(Object.keys(storage).length, 1);
    await outbox.flush();
    assert.equal(server.said.get("/a/ one"), true);
    assert.deepEqual(told.at(-1), ["saved", 0]);
  });
}

test("what a closed page could not send is sent by the next one, in order", async () => {
  server.outcomes = [{ status: 0 }];
  const first = open();
  first.add(answer("one", true));
  first.add(answer("one", false));
  first.add(answer("two", true, "/b/"));
  await first.flush();
  const next = open();
  assert.equal(next.waiting, 3);
  await next.flush();
  assert.equal(server.said.get("/a/ one"), false);
  assert.equal(server.said.get("/b/ two"), true);
  // The first page knows that another one has sent them.
  server.said.set("/a/ one", "newer");
  await first.flush();
  assert.equal(server.said.get("/a/ one"), "newer");
});

test("answers of another account stay where they are", () => {
  storage.setItem("answer 2 000 000 0", JSON.stringify(answer("one")));
  storage.setItem("theme", "dark");
  assert.equal(open().waiting, 0);
});

test("a signed-out account keeps its answers", async () => {
  server.outcomes = [{ status: 403 }];
  const outbox = open();
  outbox.add(answer("one"));
  await outbox.flush();
  assert.deepEqual(told.at(-1), ["signed-out", 1]);
  assert.equal(open().waiting, 1);
});

test("one wrong answer costs no other", async () => {
  server.wrong.add("gone");
  const outbox = open();
  for (const image of ["one", "gone", "two"]) outbox.add(answer(image));
  await outbox.flush();
  assert.deepEqual([...server.said.keys()], ["/a/ one", "/a/ two"]);
  assert.deepEqual(refused, ["It is gone."]);
  assert.equal(outbox.waiting, 0);
});

test("answers to a set that is gone hold up no others, and are tried by the next page", async () => {
  server.outcomes = [{ status: 404, detail: "Nothing is here." }];
  const outbox = open();
  for (const image of ["one", "two"]) outbox.add(answer(image, true, "/gone/"));
  outbox.add(answer("three"));
  await outbox.flush();
  assert.deepEqual([...server.said.keys()], ["/a/ three"]);
  assert.deepEqual(refused, ["Nothing is here."]);
  assert.deepEqual(told.at(-1), ["saved", 0]);
  const next = open();
  assert.equal(next.waiting, 2);
  await next.flush();
  assert.equal(server.said.get("/gone/ two"), true);
});

test("answers older than a deleted set are forgotten", () => {
  const old = String(Date.now() - 31 * 24 * 3600 * 1000).padStart(15, "0");
  storage.setItem(`answer 1 ${old} 000001 0.5`, JSON.stringify(answer("one")));
  assert.equal(open().waiting, 0);
  assert.equal(Object.keys(storage).length, 0);
});

test("without storage answers live as long as the page", async () => {
  for (const broken of [null, { setItem: () => { throw new Error("full"); }, getItem: () => null }]) {
    storage = broken;
    server.outcomes = [{ status: 0 }];
    const outbox = open();
    outbox.add(answer("one"));
    await outbox.flush();
    await outbox.flush();
    assert.equal(server.said.get("/a/ one"), true);
    server.said.clear();
  }
});

const questions = (count, reason = "uncertain", from = 0) =>
  Array.from({ length: count }, (_, n) => ({ image: `${reason} ${from + n}`, reason, probability: 0.5 }));

test("a batch has a third of the random sample, and the most telling pictures first", () => {
  const batches = new Batches(12);
  assert.equal(batches.add([...questions(10, "sample"), ...questions(20)]), 12);
  const reasons = batches.current.map(({ reason }) => reason);
  assert.deepEqual(reasons, [...Array(8).fill("uncertain"), ...Array(4).fill("sample")]);
});

test("what is missing of one kind the other one gives", () => {
  const batches = new Batches(12);
  assert.equal(batches.add([...questions(10, "sample"), ...questions(3)]), 12);
  assert.equal(new Batches(12).add(questions(5)), 5);
});

test("no picture is asked twice", () => {
  const batches = new Batches(2);
  batches.add(questions(2));
  assert.equal(batches.add(questions(3)), 1);
  assert.equal(batches.add(questions(3)), 0);
});

test("an answer leads to the next open picture, and undo back to it", () => {
  const batches = new Batches(3);
  batches.add(questions(3));
  batches.go(1);
  assert.equal(batches.say("yes").image, "uncertain 1");
  assert.equal(batches.at, 2);
  batches.say("no");
  assert.equal(batches.at, 0);
  batches.say("skip");
  assert.ok(batches.isDone);
  assert.equal(batches.unanswered, 1);
  const { item, was } = batches.undo();
  assert.deepEqual([item.image, was, item.said], ["uncertain 0", "skip", ""]);
  assert.equal(batches.at, 0);
});

test("undo goes back over batches, one answer at a time", () => {
  const batches = new Batches(2);
  batches.add(questions(2));
  batches.add(questions(2, "uncertain", 2));
  assert.equal(batches.sayRest("no").length, 2);
  assert.ok(batches.next());
  batches.say("yes");
  batches.undo();
  assert.equal(batches.place, 1);
  batches.undo();
  assert.deepEqual([batches.place, batches.at], [0, 1]);
  batches.undo();
  assert.equal(batches.undo(), null);
  assert.equal(batches.open, 2);
});
