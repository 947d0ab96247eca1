// SHA-256 of files, off the main thread.

let worker = null;
let last = 0;
const asked = new Map();

/** Hash a file. Resolves to 64 hexadecimal digits. Rejects if the file cannot be read. */
export function sha256(file) {
  worker ??= start();
  return new Promise((resolve, reject) => {
    last += 1;
    asked.set(last, { resolve, reject });
    worker.postMessage({ id: last, file });
  });
}

function start() {
  const address = import.meta.resolve("clipsite/upload/hash-worker");
  const name = import.meta.resolve("clipsite/upload/sha256");
  const fresh = new Worker(address, { type: "module", name });
  fresh.addEventListener("message", ({ data }) => {
    const { resolve, reject } = asked.get(data.id);
    asked.delete(data.id);
    if (data.hex) resolve(data.hex);
    else reject(new Error(data.error));
  });
  // The worker could not be loaded. The next file tries again.
  fresh.addEventListener("error", () => {
    worker = null;
    asked.forEach(({ reject }) => reject(new Error("no worker")));
    asked.clear();
  });
  return fresh;
}
