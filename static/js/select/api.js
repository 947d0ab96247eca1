// Calls of the API. A refusal contains a sentence for the user.

import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

const headers = JSON.parse(document.body.getAttribute("hx-headers"));

/** A failed call. `message` is a sentence for the user. */
export class Problem extends Error {}

/** Call the API. Resolves to the parsed answer, or to null if it is empty. Rejects with a Problem.
 * */
export async function call(method, address, body) {
  const response = await reach(address, {
    method,
    headers: { ...headers, Accept: "application/json", "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await parsed(response);
  if (response.ok) return answer;
  throw new Problem(answer?.errors?.[0]?.detail ?? message("network"));
}

/** Run `work` and show its Problem, if any. Resolves to whether it succeeded. */
export async function told(work) {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    toast(error.message);
    return false;
  }
}

async function reach(address, options) {
  try {
    return await fetch(address, options);
  } catch {
    throw new Problem(message("network"));
  }
}

async function parsed(response) {
  try {
    return await response.json();
  } catch {
    return null; // empty or an error page of a proxy
  }
}
