// Requests of the answer strip to the API.

const headers = () => ({
  ...JSON.parse(document.body.getAttribute("hx-headers")),
  Accept: "application/json",
  "Content-Type": "application/json",
});

const SIGNED_OUT = 401;

/** To visitors a personal set is as absent as one that never was. The page sends them to sign in. */
async function isSignedOut() {
  const { type } = await fetch(location.href, { method: "HEAD", redirect: "manual" });
  return type === "opaqueredirect";
}

/**
 * Send answers. The request goes on if the page closes meanwhile.
 * @param {string} address
 * @param {object[]} answers
 * @returns {Promise<import("clipsite/label-answers/outbox").Outcome>}
 */
export async function deliver(address, answers) {
  const body = JSON.stringify({ answers });
  try {
    const answer = await fetch(address, { method: "POST", headers: headers(), body, keepalive: true });
    if (answer.status === 404 && (await isSignedOut())) return { status: SIGNED_OUT };
    const retry = Number(answer.headers.get("Retry-After")) || 0;
    return { status: answer.status, retry, detail: answer.ok ? "" : await detailOf(answer) };
  } catch {
    return { status: 0 };
  }
}

/** Ask for `count` questions. Resolves to {status, results, detail}; 0 if the server is away. */
export async function questions(address, category, count) {
  const query = new URLSearchParams({ category, count: String(count) });
  try {
    const answer = await fetch(`${address}?${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return { status: answer.status, results: [], detail: await detailOf(answer) };
    return { status: answer.status, results: (await answer.json()).results, detail: "" };
  } catch {
    return { status: 0, results: [], detail: "" };
  }
}

async function detailOf(answer) {
  try {
    return (await answer.json()).errors?.[0]?.detail ?? "";
  } catch {
    return ""; // an error page of a proxy
  }
}
