// Asking the server for a page, or for a part of one.

/** The server is out of reach, or says that it cannot answer. */
export class NoAnswer extends Error {}

/**
 * {ok, status, headers, text} of what is at `address`. Throws NoAnswer where nothing
 * comes, and an AbortError where `signal` gives the question up.
 * @param {string} address
 * @param {{ headers?: Record<string, string>, signal?: AbortSignal }} [options]
 */
export async function ask(address, { headers, signal } = {}) {
  try {
    const answer = await fetch(address, { headers, signal });
    const { ok, status } = answer;
    return { ok, status, headers: answer.headers, text: await answer.text() };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new NoAnswer(address, { cause: error });
  }
}
