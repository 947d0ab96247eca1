// Single requests by XMLHttpRequest, because fetch does not report the progress of an upload.

const SILENCE = 45_000; // ms without a byte after which a connection is dead (a laptop slept)
const PATIENCE = 180_000; // ms for the answer after everything is sent

/** The connection broke, or the server is unreachable. */
export class Lost extends Error {}

/**
 * `body` is the parsed JSON, or null.
 * @typedef {{ status: number, body: any, header: (name: string) => string | null }} Answer
 *
 * @typedef {{
 *   headers?: Record<string, string | number>,
 *   body?: XMLHttpRequestBodyInit | null,
 *   signal?: AbortSignal,
 *   progress?: (bytes: number) => void,
 * }} Options
 */

/**
 * Send one request. Rejects with Lost or with the signal's reason. `progress(bytes)` gets the
 * number of sent bytes of the body.
 * @param {string} method
 * @param {string} url
 * @param {Options} [options]
 * @returns {Promise<Answer>}
 */
export function http(method, url, { headers = {}, body = null, signal, progress } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    let timer;
    const expect = (milliseconds) => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), milliseconds);
    };
    const stop = () => request.abort();
    request.open(method, url);
    request.setRequestHeader("Accept", "application/json");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, String(value));
    if (progress) {
      request.upload.addEventListener("progress", (event) => {
        expect(event.loaded < event.total ? SILENCE : PATIENCE);
        progress(event.loaded);
      });
    }
    request.addEventListener("load", () => resolve(answerOf(request)));
    request.addEventListener("error", () => reject(new Lost()));
    request.addEventListener("abort", () => reject(signal?.aborted ? signal.reason : new Lost()));
    request.addEventListener("loadend", () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    });
    signal?.addEventListener("abort", stop);
    expect(body ? SILENCE : PATIENCE);
    request.send(body);
  });
}

function answerOf(request) {
  return {
    status: request.status,
    body: parsed(request.responseText),
    header: (name) => request.getResponseHeader(name),
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // empty or an error page of a proxy
  }
}
