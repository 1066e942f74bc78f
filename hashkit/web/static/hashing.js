// Has the files hashed, a few at a time, and shows what comes of them.

import { beforeLeaving } from "./exit.js";
import { rows } from "./files.js";
import { forgetHere, hashHere } from "./work.js";

let begun = 0; // of all files that were begun: each try is another
const forgetting = new Set();
const AT_A_TIME = Math.min(Number(document.body.dataset.workers) || 1, 4);

/** Makes the hashes of these rows' files, and those of likely edits if ``variants``. */
export function begin(wanted, variants) {
  for (const row of wanted) {
    forgetResult(row);
    row.variants = variants;
    row.is("waiting");
  }
  goOn();
}

/** Tries a file once more. */
export function again(row) {
  begin([row], row.variants);
}

/** Stops working on a file. */
export function cancel(row) {
  stop(row);
  row.is("stopped");
  goOn();
}

/** Stops working on all of them. */
export function cancelAll() {
  const stopped = rows().filter((row) => row.isBusy);
  stopped.forEach(stop);
  for (const row of stopped) row.is("stopped");
}

/** Takes a file off the list, and with it what came of it. */
export function remove(row) {
  stop(row);
  forgetResult(row);
  row.remove();
  goOn();
}

beforeLeaving(() => rows().forEach(stop));

/** Begins as many of the waiting files as may be worked on at a time. */
function goOn() {
  const all = rows();
  let free = AT_A_TIME - all.filter((row) => row.work).length;
  for (const row of all) {
    if (free <= 0) return;
    if (row.state !== "waiting" || row.work) continue;
    free -= 1;
    workOn(row);
  }
}

async function workOn(row) {
  const work = new AbortController();
  row.work = work;
  row.is("working");
  row.number = begun += 1;
  try {
    const told = await hashHere(row.number, row.file, {
      variants: row.variants,
      signal: work.signal,
      onPart: (part) => row.work === work && row.progress(part),
    });
    if (!work.signal.aborted) row.is(told ? "done" : "failed", told);
  } catch (error) {
    if (!work.signal.aborted) {
      row.is("failed");
      throw error;
    }
  } finally {
    if (row.work === work) row.work = null;
    goOn();
  }
}

function stop(row) {
  if (!row.work) return;
  row.work.abort();
  row.work = null;
  forgetResult(row);
}

function forgetResult(row) {
  if (row.number !== null) forgetNumber(row.number);
  row.number = null;
}

function forgetNumber(number) {
  const forgotten = forgetHere(number);
  forgetting.add(forgotten);
  forgotten.finally(() => forgetting.delete(forgotten));
}

/** When all that was taken off the list is forgotten. */
export async function settled() {
  await Promise.all(forgetting);
}
