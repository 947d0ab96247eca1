// One upload, through XMLHttpRequest: fetch tells no progress of what it sends.

/**
 * Resolves to {status, body, retryAfter}: `body` is the parsed answer or null,
 * `retryAfter` is in seconds. Rejects with an Error named "NetworkError" or
 * "AbortError". `progress` is called with a fraction from 0 to 1.
 */
export function send(file, { url, visibility, csrfToken, signal, progress }) {
  const request = new XMLHttpRequest();
  return new Promise((resolve, reject) => {
    const fail = (name) => () => reject(Object.assign(new Error(name), { name }));
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrfToken);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total);
    });
    request.addEventListener("load", () => resolve(answerOf(request)));
    request.addEventListener("error", fail("NetworkError"));
    request.addEventListener("abort", fail("AbortError"));
    signal.addEventListener("abort", () => request.abort());
    const body = new FormData();
    body.append("visibility", visibility);
    body.append("file", file, file.name);
    request.send(body);
  });
}

function answerOf(request) {
  return {
    status: request.status,
    body: parsed(request.responseText),
    retryAfter: Number(request.getResponseHeader("Retry-After")) || 5,
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // an error page of a proxy, perhaps
  }
}
