// Combines many small requests into few.

const GATHER = 100; // milliseconds

/**
 * Return a function of one value. Its calls are combined into `send(values)`, with at most `most`
 * values. `send` resolves to the results in the same order.
 * @template Value, Result
 * @param {(values: Value[]) => Promise<Result[]>} send
 * @param {number} most
 * @returns {(value: Value) => Promise<Result>}
 */
export function batched(send, most) {
  let waiting = [];
  let running = false;

  async function run() {
    running = true;
    await new Promise((resolve) => setTimeout(resolve, GATHER));
    while (waiting.length) {
      const calls = waiting.slice(0, most);
      waiting = waiting.slice(most);
      try {
        const answers = await send(calls.map(({ value }) => value));
        calls.forEach(({ resolve }, index) => resolve(answers[index]));
      } catch (error) {
        calls.forEach(({ reject }) => reject(error));
      }
    }
    running = false;
  }

  return (value) =>
    new Promise((resolve, reject) => {
      waiting.push({ value, resolve, reject });
      if (!running) run();
    });
}
