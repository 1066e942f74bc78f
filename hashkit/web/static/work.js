// What the page asks for: hashes, the guide, the submission. hashkit does it, on this computer. The
// page that works without hashkit has another file of this name, with the same functions.

import { Ended, Refused, ask, finish, stayInTouch } from "./server.js";

/** Hashes a file, whose number is not used again. ``onPart`` is called with how much is done, 0 to
 * 1. Gives what came of it, a verdict, a title and points; null if hashkit does not do it. */
export async function hashHere(number, file, { variants, signal, onPart }) {
  try {
    return await handOver(number, file, { variants, signal, onPart });
  } catch (error) {
    if (error instanceof Ended || error instanceof Refused) return null;
    throw error;
  }
}

/** Sends the ranges that hashkit requests, until the file is hashed. */
async function handOver(number, file, { variants, signal, onPart }) {
  const path = `files/${number}`;
  const begun = await ask("PUT", path, { json: { size: file.size, variants }, signal });
  let answer = await begun.json();
  while (!answer.done) {
    onPart(answer.part);
    const next = await nextRange(file, path, answer.read);
    signal.throwIfAborted();
    answer = await (await ask("POST", next.path, { bytes: next.bytes, signal })).json();
  }
  return answer.done;
}

/** The next request: a range of the file if one is requested. The file may have changed. */
async function nextRange(file, path, range) {
  if (!range) return { path };
  const [serial, start, length] = range;
  try {
    const bytes = await file.slice(start, start + length).arrayBuffer();
    if (bytes.byteLength === length) return { path: `${path}/ranges/${serial}`, bytes };
  } catch {
    // It cannot be read any more.
  }
  return { path: `${path}/unreadable` };
}

/** Stops working on the file with this number, and forgets what came of it. */
export async function forgetHere(number) {
  await ask("DELETE", `files/${number}`).catch(() => {});
}

/** What to do, for these answers; null if hashkit has ended. It holds nothing from outside, such as
 * the name of a file. */
export async function guideFor({ age, age_in_picture, country, threatened }) {
  const json = { age, age_in_picture, country, threatened: threatened === "yes" };
  const shape = document.createElement("template");
  try {
    shape.innerHTML = await (await ask("POST", "guide", { json })).text();
  } catch (error) {
    if (error instanceof Ended) return null;
    throw error;
  }
  return shape.content;
}

/** The address from which the submission of all that was hashed can be saved. */
export function placeOfSubmission() {
  return `submission?page=${document.body.dataset.page}`;
}

/** Calls this once, when hashkit has ended. */
export function whenWorkEnds(ended) {
  stayInTouch(ended);
}

/** Ends hashkit. */
export function endWork() {
  return finish();
}
