// The sending of one file, with every state and answer of the server.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

globalThis.location = new URL("https://gallery.example/upload/");
// The real line reads both when it is loaded. The tests have their own.
globalThis.document = { cookie: "" };

const { Interrupted } = await import("clipsite/upload/line");
const { Refused, TusUpload, terminate } = await import("clipsite/upload/tus");

const MEGABYTE = 1024 * 1024;
const ENDPOINT = "/api/v1/uploads/";
const PLACE = `${ENDPOINT}1/`;
const READY = { state: "done", image: { id: "an id" } };

/** A server that takes everything, after the `faults`, by method. */
class Server {
  offset = 0;
  requests = [];
  faults = {};

  request = async (method, url, { headers = {}, body = null, signal } = {}) => {
    signal?.throwIfAborted();
    this.requests.push({ method, url, headers, size: body?.size ?? 0 });
    const fault = this.faults[method]?.shift();
    if (fault) return fault(body, headers);
    return this.taken(method, body, headers);
  };

  // The real line repeats interrupted requests.
  insist = async (...asked) => {
    for (;;) {
      try {
        return await this.request(...asked);
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
      }
    }
  };

  taken(method, body, headers) {
    if (method === "GET") return answer(200, {}, READY);
    if (method === "DELETE") return answer(204);
    if (method === "POST") this.offset = body?.size ?? 0;
    else if (method === "PATCH") {
      if (headers["Upload-Offset"] !== this.offset) return answer(409);
      this.offset += body.size;
    }
    const place = method === "POST" ? { Location: `http://inside:8000${PLACE}` } : {};
    return answer(method === "POST" ? 201 : method === "HEAD" ? 200 : 204, { ...place, "Upload-Offset": String(this.offset) });
  }

  get methods() {
    return this.requests.map(({ method }) => method).join(" ");
  }
}

const answer = (status, headers = {}, body = null) => ({ status, body, header: (name) => headers[name] ?? null });
const lost = () => {
  throw new Interrupted();
};

let server;
let told;

beforeEach(() => {
  server = new Server();
  told = { created: [], stands: [] };
});

function upload(size, options = {}) {
  return new TusUpload(new Blob([new Uint8Array(size)]), {
    endpoint: ENDPOINT,
    metadata: { filename: "海边 1.jpg", album: "" },
    line: server,
    created: (url) => told.created.push(url),
    stands: (bytes) => told.stands.push(bytes),
    progress: () => {},
    ...options,
  });
}

test("a small file comes with the request that creates the upload", async () => {
  assert.deepEqual(await upload(1000).send(), READY);
  assert.equal(server.methods, "POST GET");
  assert.equal(server.requests[0].headers["Upload-Length"], 1000);
  assert.equal(server.requests[0].size, 1000);
});

test("names are sent as base64 of UTF-8, and empty ones are left out", async () => {
  await upload(1).send();
  const metadata = server.requests[0].headers["Upload-Metadata"];
  assert.equal(metadata, `filename ${Buffer.from("海边 1.jpg").toString("base64")}`);
});

test("the address is on this site, whatever a proxy answers", async () => {
  await upload(1).send();
  assert.deepEqual(told.created, [PLACE]);
});

test("a large file is sent in parts, with its progress", async () => {
  assert.deepEqual(await upload(20 * MEGABYTE).send(), READY);
  assert.equal(server.methods, "POST PATCH PATCH PATCH GET");
  assert.deepEqual(told.stands, [0, 8, 16, 20].map((megabytes) => megabytes * MEGABYTE));
});

test("an earlier attempt continues at the offset of the server", async () => {
  server.offset = 10 * MEGABYTE;
  await upload(20 * MEGABYTE, { url: PLACE }).send();
  assert.equal(server.methods, "HEAD PATCH PATCH GET");
  assert.equal(server.requests[1].headers["Upload-Offset"], 10 * MEGABYTE);
  assert.deepEqual(told.created, []);
});

for (const status of [404, 410]) {
  test(`an upload that the server has lost (${status}) begins anew`, async () => {
    server.faults.HEAD = [() => answer(status)];
    await upload(2 * MEGABYTE, { url: "/api/v1/uploads/gone/" }).send();
    assert.equal(server.methods, "HEAD POST PATCH GET");
    assert.deepEqual(told.created, [PLACE]);
  });
}

test("a broken connection loses no bytes that have arrived", async () => {
  const part = (body) => {
    server.offset += body.size / 2; // half of it came through
    return lost();
  };
  server.faults.PATCH = [part];
  await upload(16 * MEGABYTE).send();
  assert.equal(server.methods, "POST PATCH HEAD PATCH PATCH GET");
  assert.equal(server.offset, 16 * MEGABYTE);
});

for (const status of [404, 409, 410, 460]) {
  test(`after ${status} it asks for the offset and continues`, async () => {
    server.faults.PATCH = [() => answer(status)];
    await upload(2 * MEGABYTE).send();
    assert.equal(server.methods, "POST PATCH HEAD PATCH GET");
  });
}

test("it gives up after several failed attempts in a row", async () => {
  server.faults.PATCH = Array.from({ length: 20 }, () => () => answer(460));
  await assert.rejects(upload(2 * MEGABYTE).send(), Refused);
  assert.equal(server.requests.filter(({ method }) => method === "PATCH").length, 6);
});

test("a successful attempt resets the count", async () => {
  const damaged = () => answer(460);
  const good = (body, headers) => server.taken("PATCH", body, headers);
  server.faults.PATCH = [damaged, damaged, damaged, damaged, good, damaged, damaged, damaged, damaged];
  assert.deepEqual(await upload(20 * MEGABYTE).send(), READY);
});

test("it waits for another request that still writes", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  server.faults.PATCH = [() => answer(423)];
  const sent = upload(2 * MEGABYTE).send();
  while (server.methods !== "POST PATCH") await new Promise(setImmediate);
  context.mock.timers.tick(1999);
  await new Promise(setImmediate);
  assert.equal(server.methods, "POST PATCH");
  context.mock.timers.tick(1);
  await sent;
  assert.equal(server.methods, "POST PATCH HEAD PATCH GET");
});

test("it asks for the outcome until the server has decided", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  server.faults.GET = [() => answer(200, {}, { state: "receiving" })];
  const sent = upload(1).send();
  while (server.methods !== "POST GET") await new Promise(setImmediate);
  await new Promise(setImmediate);
  context.mock.timers.tick(1000);
  assert.deepEqual(await sent, READY);
});

test("a refusal says why", async () => {
  const errors = [{ code: "quota", detail: "There is no room." }, { code: "x", detail: "Sorry." }];
  server.faults.POST = [() => answer(403, {}, { errors })];
  await assert.rejects(upload(1).send(), (error) => {
    assert.ok(error instanceof Refused);
    assert.deepEqual([error.status, error.code, error.sentence], [403, "quota", "There is no room. Sorry."]);
    return true;
  });
});

test("a refusal without a sentence still counts", async () => {
  server.faults.POST = [() => answer(500)];
  await assert.rejects(upload(1).send(), { status: 500, code: "", sentence: "" });
});

test("a cancelled upload ends with its reason", async () => {
  const abort = new AbortController();
  const reason = new Error("stopped");
  server.faults.PATCH = [(body) => (abort.abort(reason), server.taken("PATCH", body, { "Upload-Offset": 0 }))];
  await assert.rejects(upload(20 * MEGABYTE, { signal: abort.signal }).send(), reason);
});

test("the server hears that the rest will not come", async () => {
  await terminate(PLACE, server);
  assert.equal(server.methods, "DELETE");
});
