// Waiting that a signal can abort.

/** Resolves as `promise` does. Rejects with the signal's reason as soon as the signal aborts. */
export function unless(signal, promise) {
  if (!signal) return promise;
  signal.throwIfAborted();
  const stopped = new AbortController();
  const aborted = new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true, signal: stopped.signal });
  });
  return Promise.race([promise, aborted]).finally(() => stopped.abort());
}

export const pause = (milliseconds, signal) =>
  unless(signal, new Promise((resolve) => setTimeout(resolve, milliseconds)));
