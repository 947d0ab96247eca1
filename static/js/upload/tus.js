// Sends a file by the tus protocol (1.0.0: core, creation, creation with upload, termination) over
// a Line. The offset always comes from the server and is never assumed.

import { Interrupted } from "clipsite/upload/line";
import { pause } from "clipsite/upload/waiting";

const CHUNK = 8 * 1024 * 1024;
/** Up to this size the request that creates the upload also contains the bytes. */
const WHOLE = 1024 * 1024;
const VAIN_ATTEMPTS = 5;
const LOCKED_PAUSE = 2000;
const JUDGED_PAUSE = 1000;
const TUS = { "Tus-Resumable": "1.0.0" };
const BYTES = { ...TUS, "Content-Type": "application/offset+octet-stream" };

/** The server refuses the file. `sentence` and `code` tell why, if the server says so. */
export class Refused extends Error {
  /** @param {Partial<import("clipsite/upload/http").Answer>} [answer] */
  constructor({ status, body } = {}) {
    super(`refused: ${status}`);
    this.status = status;
    this.code = body?.errors?.[0]?.code ?? "";
    this.sentence = body?.errors?.map((error) => error.detail).join(" ") ?? "";
  }
}

export class TusUpload {
  #vain = 0;

  /**
   * `url` is the address of an earlier attempt, if any. `created(url)` is called with a new
   * address, `stands(bytes)` with the number of bytes that the server has, and `progress(bytes)`
   * with the number of bytes sent since.
   * @param {Blob} file
   * @param {{
   *   endpoint: string,
   *   url?: string,
   *   metadata: Record<string, string>,
   *   line: Pick<import("clipsite/upload/line").Line, "request" | "insist">,
   *   signal?: AbortSignal,
   *   created: (url: string) => void,
   *   stands: (bytes: number) => void,
   *   progress: (bytes: number) => void,
   * }} options
   */
  constructor(file, options) {
    const { endpoint, url, metadata, line, signal, created, stands, progress } = options;
    this.file = file;
    this.endpoint = endpoint;
    this.url = url;
    this.metadata = metadata;
    this.line = line;
    this.signal = signal;
    this.created = created;
    this.stands = stands;
    this.progress = progress;
  }

  /** Send the file. Resolves to the result as in `GET uploads/{id}/`. Rejects with Refused,
   * Unreadable or the signal's reason. */
  async send() {
    let offset = this.url ? await this.#offset() : await this.#create();
    while (offset < this.file.size) offset = await this.#chunk(offset);
    return this.#outcome();
  }

  async #create() {
    const whole = this.file.size <= WHOLE;
    const answer = await this.line.insist("POST", this.endpoint, {
      headers: {
        ...(whole ? BYTES : TUS),
        "Upload-Length": this.file.size,
        "Upload-Metadata": encoded(this.metadata),
      },
      body: whole ? this.file : null,
      progress: whole ? this.progress : undefined,
      signal: this.signal,
    });
    if (answer.status !== 201) throw new Refused(answer);
    // Behind a proxy the scheme and the host may be wrong.
    this.url = new URL(answer.header("Location"), location.href).pathname;
    this.created(this.url);
    return this.#at(answer);
  }

  /** Return the number of bytes that the server has. An expired upload begins anew. */
  async #offset() {
    const answer = await this.#insist("HEAD");
    if (answer.status === 200 || answer.status === 204) return this.#at(answer);
    if (answer.status === 423) return this.#afterLock();
    if (answer.status === 404 || answer.status === 410) return this.#create();
    throw new Refused(answer);
  }

  async #chunk(offset) {
    let answer;
    try {
      answer = await this.line.request("PATCH", this.url, {
        headers: { ...BYTES, "Upload-Offset": offset },
        body: this.file.slice(offset, offset + CHUNK),
        progress: (bytes) => this.progress(offset + bytes),
        signal: this.signal,
      });
    } catch (error) {
      if (error instanceof Interrupted) return this.#offset();
      throw error;
    }
    if (answer.status === 204) {
      this.#vain = 0;
      return this.#at(answer);
    }
    if (answer.status === 423) return this.#afterLock();
    // A wrong offset, damaged bytes or an expired upload: continue from the server's offset.
    const mendable = [404, 409, 410, 460].includes(answer.status);
    if (!mendable || ++this.#vain > VAIN_ATTEMPTS) throw new Refused(answer);
    return this.#offset();
  }

  /** Wait while another request still writes. It is probably an interrupted one of this client. */
  async #afterLock() {
    await pause(LOCKED_PAUSE, this.signal);
    return this.#offset();
  }

  async #outcome() {
    for (;;) {
      const answer = await this.#insist("GET");
      if (answer.status !== 200) throw new Refused(answer);
      if (answer.body.state !== "receiving") return answer.body;
      await pause(JUDGED_PAUSE, this.signal);
    }
  }

  #insist(method) {
    return this.line.insist(method, this.url, { headers: TUS, signal: this.signal });
  }

  #at(answer) {
    const offset = Number(answer.header("Upload-Offset") ?? 0);
    this.stands(offset);
    return offset;
  }
}

/** Terminate an upload: the rest will not follow. */
export async function terminate(url, line) {
  for (let attempt = 0; attempt < VAIN_ATTEMPTS; attempt++) {
    const { status } = await line.insist("DELETE", url, { headers: TUS });
    if (status !== 423) return; // otherwise the upload expires
    await pause(LOCKED_PAUSE);
  }
}

/** {filename: "a b"} -> "filename YSBi". Empty values are left out. */
function encoded(metadata) {
  return Object.entries(metadata)
    .filter(([, value]) => value)
    .map(([name, value]) => `${name} ${base64(value)}`)
    .join(",");
}

function base64(text) {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes));
}
