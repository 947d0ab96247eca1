// Many small questions, asked together.

const GATHER = 100; // milliseconds

/**
 * A function of one value whose calls go together into `send(values)`, which
 * resolves to as many answers in the same order; at most `most` at a time.
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
