// The connection to the server. All requests go through it and wait while it is not open. Its
// `state` tells why:
//
// "open"; "lost": no connection, or the server restarts; "busy": the server asks clients to wait;
// "signedOut": the session has ended or belongs to another account.

import { Lost, http } from "clipsite/upload/http";
import { pause, unless } from "clipsite/upload/waiting";

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;
const SIGN_IN_PAUSE = 4000;
const DOWN = [502, 503, 504];
// The answers to a signed-out user. A user's own data then looks as if it did not exist.
const DENIED = [401, 403, 404];

/** The request has no valid answer. It can be repeated after a pause. */
export class Interrupted extends Error {}

/** The file was moved, changed or removed after it was chosen. */
export class Unreadable extends Error {}

export class Line {
  state = "open";
  until = 0; // the time of the next attempt, as Date.now()
  #gate = null;
  #openGate = null;
  #timer = null;
  #failures = 0;
  #lastFailure = 0;
  #signingIn = null;

  /** `me` is the address of the signed-in account, and `user` the expected username. */
  constructor({ me, user, changed }) {
    this.me = me;
    this.user = user;
    this.changed = changed;
    this.token = cookieToken();
    const hope = () => this.state === "lost" && this.tryNow();
    addEventListener("online", hope);
    addEventListener("focus", hope);
  }

  /** Send one request as soon as the line is open (see `http` for options and answer). Rejects with
   * Interrupted if it got no valid answer, and with Unreadable.
   * @param {string} method
   * @param {string} url
   * @param {import("clipsite/upload/http").Options} [options] */
  async request(method, url, options = {}) {
    while (this.#gate) await unless(options.signal, this.#gate);
    const started = performance.now();
    const headers = { "X-CSRFToken": this.token, ...options.headers };
    try {
      return await this.#judged(started, await http(method, url, { ...options, headers }));
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      // An unreadable file looks the same to the request, but waiting will not help.
      if (!(await readable(options.body))) throw new Unreadable();
      this.#wait("lost", started);
      throw new Interrupted();
    }
  }

  /** Repeat an idempotent request until it is answered.
   * @param {string} method
   * @param {string} url
   * @param {import("clipsite/upload/http").Options} [options] */
  async insist(method, url, options) {
    for (;;) {
      try {
        return await this.request(method, url, options);
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
      }
    }
  }

  /** `insist` with a JSON body. */
  post(url, data, options = {}) {
    const headers = { "Content-Type": "application/json" };
    return this.insist("POST", url, { headers, body: JSON.stringify(data ?? {}), ...options });
  }

  /** End the pause, if there is one. */
  tryNow() {
    clearTimeout(this.#timer);
    this.until = 0;
    this.#openGate?.();
    this.#gate = this.#openGate = null;
    if (this.state !== "open") this.changed();
  }

  async #judged(started, answer) {
    const { status } = answer;
    const patience = Number(answer.header("Retry-After")) || 0;
    if (status === 429 || isCrowded(answer)) this.#wait("busy", started, patience);
    else if (DOWN.includes(status)) this.#wait("lost", started, patience);
    else if (DENIED.includes(status) && !(await this.#signedIn())) {
      await (this.#signingIn ??= this.#signIn());
    } else if (status === 403 && this.token !== cookieToken()) this.token = cookieToken();
    else {
      this.#fine();
      return answer;
    }
    throw new Interrupted();
  }

  #fine() {
    this.#failures = 0;
    if (this.state !== "open") this.#enter("open");
  }

  #enter(state) {
    this.state = state;
    this.changed();
  }

  /** Pause, longer after each failure. Requests that fail together count as one failure. */
  #wait(state, started, seconds = 0) {
    if (this.#gate || started < this.#lastFailure) return;
    this.#lastFailure = performance.now();
    const growing = Math.min(FIRST_PAUSE * 2 ** this.#failures, LONGEST_PAUSE);
    this.#failures += 1;
    const milliseconds = seconds ? seconds * 1000 : growing;
    this.until = Date.now() + milliseconds;
    this.#gate = new Promise((resolve) => (this.#openGate = resolve));
    this.#timer = setTimeout(() => this.tryNow(), milliseconds);
    this.#enter(state);
  }

  async #signedIn() {
    const { status, body } = await http("GET", this.me);
    if (status === 401 || status === 403) return false;
    if (status !== 200) throw new Lost();
    return body.username === this.user;
  }

  /** Wait until the same user is signed in again, perhaps in another tab. */
  async #signIn() {
    this.#enter("signedOut");
    do await pause(SIGN_IN_PAUSE);
    while (!(await this.#signedIn().catch(() => false)));
    this.token = cookieToken();
    this.#signingIn = null;
    this.#fine();
  }
}

/** Return the CSRF token. Each sign-in changes it, so the server never runs a request with an old
 * token for an account that signed in later. */
const cookieToken = () => document.cookie.match(/(?:^|;\s*)(?:__Host-)?csrftoken=([^;]*)/)?.[1] ?? "";

async function readable(body) {
  if (!(body instanceof Blob)) return true;
  try {
    await body.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** Whether the server is available but has too many uploads at once. */
function isCrowded({ status, body }) {
  return status === 503 && body?.errors?.[0]?.code === "uploads_busy";
}
