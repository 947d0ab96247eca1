// Digests without a worker.

import { Sha256 } from "clipsite/upload/sha256";

export async function sha256(file) {
  const digest = new Sha256();
  digest.update(new Uint8Array(await file.arrayBuffer()));
  return digest.hex();
}
