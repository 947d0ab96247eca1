// The API as the pages call it. What it refuses, it says in a sentence.

import { message } from "clipsite/base/messages";
import { toast } from "clipsite/base/toast";

const headers = JSON.parse(document.body.getAttribute("hx-headers"));

/** `message` is a sentence for the user. */
export class Problem extends Error {}

/** The parsed answer, or null where there is none. Throws a Problem. */
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

/** Runs `work`; says what went wrong, if anything. Resolves to whether it went well. */
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
    return null; // empty, or an error page of a proxy
  }
}
