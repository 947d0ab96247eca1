// Requests for pages and parts of pages.

/** The server is unreachable or says that it cannot answer. */
export class NoAnswer extends Error {}

/**
 * Fetch `address`. Resolves to {ok, status, headers, text}. Rejects with NoAnswer if there is no
 * answer, and with an AbortError if `signal` aborts.
 * @param {string} address
 * @param {{ headers?: Record<string, string>, signal?: AbortSignal, method?: string,
 *   body?: BodyInit }} [options]
 */
export async function ask(address, { headers, signal, method, body } = {}) {
  try {
    const answer = await fetch(address, { headers, signal, method, body });
    const { ok, status } = answer;
    return { ok, status, headers: answer.headers, text: await answer.text() };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new NoAnswer(address, { cause: error });
  }
}
