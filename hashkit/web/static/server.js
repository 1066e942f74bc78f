// Speaks to hashkit, which made this page and is on this computer.

import { beforeLeaving, hasLeft } from "./exit.js";

const PAGE = document.body.dataset.page;
const BETWEEN_SIGNS = 60_000; // milliseconds
const SIGNS = ["pointerdown", "pointermove", "keydown", "change", "drop", "scroll", "focus"];
const BEFORE_SECOND_TRY = 500; // milliseconds
const TRIES = 3;

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
    ask("POST", "active").catch(() => {});
  };
  for (const kind of SIGNS) addEventListener(kind, sign, { passive: true, capture: true });
  addEventListener("pagehide", () => navigator.sendBeacon(`closed?page=${PAGE}`));
}

/** Ends hashkit, for everybody: what it made is gone then. */
export async function finish() {
  const last = ask("POST", `leave?page=${PAGE}`).catch(() => {});
  stop();
  await last;
}

/** As fetch, with a second try: when a computer changes its network, browsers may drop what they are
 * asking for, even of the computer itself. What hashkit has done already it does not do twice. */
async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    await new Promise((done) => setTimeout(done, BEFORE_SECOND_TRY));
    if (over || options.signal?.aborted) throw error;
    return fetch(path, options);
  }
}

/** The answer to this lasts as long as hashkit does. If only the connection was lost, there is
 * another. */
async function waitForTheEnd() {
  for (let left = TRIES; left > 0 && !over; left -= 1) {
    try {
      const answer = await fetch(`here?page=${PAGE}`, { cache: "no-store", signal: leaving.signal });
      if (!answer.ok) break;
      const reader = answer.body.getReader();
      while (!(await reader.read()).done) left = TRIES;
    } catch {
      // It may come back.
    }
    await new Promise((done) => setTimeout(done, BEFORE_SECOND_TRY));
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
