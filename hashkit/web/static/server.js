// Speaks to hashkit, which made this page and is on this computer.

import { beforeLeaving, hasLeft } from "./exit.js";

const PAGE = document.body.dataset.page;
const BETWEEN_SIGNS = 60_000; // milliseconds
const BEFORE_SECOND_TRY = 500;

const leaving = new AbortController();
let whenEnded = () => {};
let over = false;

/** hashkit has ended, or this page was left: there is nobody to speak to. */
export class Ended extends Error {}

/** hashkit does not do this. */
export class Refused extends Error {}

/** Asks, and gives the answer; ``json`` or ``bytes`` is sent along. Ended or Refused otherwise. */
export async function ask(method, path, { json, bytes, signal } = {}) {
  if (over) throw new Ended();
  const headers = { "X-Page": PAGE };
  if (json) headers["Content-Type"] = "application/json";
  if (bytes) headers["Content-Type"] = "application/octet-stream";
  const body = json ? JSON.stringify(json) : bytes;
  let answer;
  try {
    answer = await reach(path, { method, headers, body, cache: "no-store", signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    end();
    throw new Ended();
  }
  if (answer.status === 403) {
    end();
    throw new Ended();
  }
  if (!answer.ok) throw new Refused(String(answer.status));
  return answer;
}

/** Stays in touch from now on. ``ended`` is called once, when hashkit has ended. */
export function stayInTouch(ended) {
  whenEnded = ended;
  waitForTheEnd();
  let last = 0;
  const sign = () => {
    const now = performance.now();
    if (over || (last && now - last < BETWEEN_SIGNS)) return;
    last = now;
    ask("POST", "/active").catch(() => {});
  };
  for (const kind of ["pointerdown", "keydown", "change", "drop"]) addEventListener(kind, sign);
}

/** Ends hashkit, for everybody: what it made is gone then. */
export async function finish() {
  const last = ask("POST", "/leave").catch(() => {});
  stop();
  await last;
}

/** As fetch, with a second try: when a computer changes its network, browsers may drop what they are
 * asking for, even of the computer itself. Of a hashkit that has ended, /here is the first to know. */
async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    await new Promise((done) => setTimeout(done, BEFORE_SECOND_TRY));
    if (over || options.signal?.aborted) throw error;
    return fetch(path, options);
  }
}

/** The answer to /here lasts as long as hashkit does. */
async function waitForTheEnd() {
  try {
    const answer = await fetch(`/here?page=${encodeURIComponent(PAGE)}`, {
      cache: "no-store",
      headers: { "X-Page": PAGE },
      signal: leaving.signal,
    });
    const reader = answer.body.getReader();
    while (!(await reader.read()).done);
  } catch {
    // It has ended, either way.
  }
  end();
}

function stop() {
  over = true;
  leaving.abort();
}

function end() {
  if (over || hasLeft()) return;
  stop();
  whenEnded();
}

beforeLeaving(stop);
