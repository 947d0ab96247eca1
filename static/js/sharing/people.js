// The form that shares pictures with people and groups (templates/sharing/people_form.html), in the
// dialog of a selection and in that of one picture.

import { fill } from "clipsite/base/messages";
import { call, Problem } from "clipsite/select/api";

// A toast names no more than these; "and 5 more" stands for the others.
const MOST_NAMES = 3;

/**
 * Share the pictures of `selection` as the form says: with people and groups, or (`link`) by a link
 * alone, which is for nobody in particular. Resolves to the answer of the API, or to null after the
 * form has told the problem.
 */
export async function share(form, selection, link = false) {
  const wanted = link ? { link, users: [], groups: [] } : { link, ...chosen(form) };
  if (!link && !wanted.users.length && !wanted.groups.length) return tell(form, form.dataset.nobody);
  const title = String(new FormData(form).get("title") ?? "").trim();
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    return await call("POST", form.dataset.api, { selection, title, ...wanted });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return tell(form, error.message);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

function chosen(form) {
  const data = new FormData(form);
  const typed = String(data.get("user")).split(/[,，、\s]+/);
  const users = [...new Set([...data.getAll("users"), ...typed].filter(Boolean))];
  return { users, groups: data.getAll("groups") };
}

/** Show a problem in the form; an empty sentence removes it. Returns null. */
export function tell(form, sentence) {
  const line = form.querySelector("[data-problem]");
  line.textContent = sentence;
  line.hidden = !sentence;
  return null;
}

/** "Shared with Ana, Bo and 3 more." */
export function told(form, names) {
  const many = names.length > MOST_NAMES;
  const shown = many ? names.slice(0, MOST_NAMES - 1) : names;
  const rest = many ? [fill(form.dataset.more, { count: names.length - shown.length })] : [];
  const list = new Intl.ListFormat(document.documentElement.lang, { type: "conjunction" });
  return fill(form.dataset.told, { names: list.format([...shown, ...rest]) });
}
