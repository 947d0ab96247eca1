// The worker of hasher.js. It hashes one file at a time.

const PIECE = 4 * 1024 * 1024;
/** Up to this size the browser's own function is used. It is ten times as fast, but needs the whole
 * file in memory and is missing on plain HTTP. */
const AT_ONCE = 64 * 1024 * 1024;

// Workers have no import map: the worker's name is the address of the module.
const ready = import(self.name);
let last = Promise.resolve();

self.addEventListener("message", ({ data }) => {
  last = last.then(() => answer(data));
});

async function answer({ id, file }) {
  try {
    self.postMessage({ id, hex: await hash(file) });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
}

async function hash(file) {
  if (crypto.subtle && file.size <= AT_ONCE) {
    return hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  }
  const { Sha256 } = await ready;
  const digest = new Sha256();
  for (let start = 0; start < file.size; start += PIECE) {
    digest.update(new Uint8Array(await file.slice(start, start + PIECE).arrayBuffer()));
  }
  return digest.hex();
}

const hex = (buffer) =>
  [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
