// Hands the files to hashkit, a few at a time and range by range, and shows what comes of them.

import { beforeLeaving } from "./exit.js";
import { rows } from "./files.js";
import { Ended, Refused, ask } from "./server.js";

let numbers = 0; // of all files that were begun: each try is another
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
  drop(row);
  row.is("stopped");
  goOn();
}

/** Stops working on all of them. */
export function cancelAll() {
  const stopped = rows().filter((row) => row.isBusy);
  stopped.forEach(drop);
  for (const row of stopped) row.is("stopped");
}

/** Takes a file off the list, and with it what came of it. */
export function remove(row) {
  drop(row);
  forgetResult(row);
  row.remove();
  goOn();
}

beforeLeaving(() => rows().forEach(drop));

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
  try {
    const told = await handOver(row, work.signal);
    if (!work.signal.aborted) row.is("done", told);
  } catch (error) {
    if (!work.signal.aborted && !(error instanceof Ended)) {
      row.is("failed");
      if (!(error instanceof Refused)) throw error;
    }
  } finally {
    if (row.work === work) row.work = null;
    goOn();
  }
}

/** Sends the ranges that hashkit requests, until the file is hashed. */
async function handOver(row, signal) {
  const { file, variants } = row;
  row.number = numbers += 1;
  const path = `files/${row.number}`;
  const begun = await ask("PUT", path, { json: { size: file.size, variants }, signal });
  let answer = await begun.json();
  while (!answer.done) {
    row.progress(answer.part);
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

function drop(row) {
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
  const forgotten = ask("DELETE", `files/${number}`).catch(() => {});
  forgetting.add(forgotten);
  forgotten.finally(() => forgetting.delete(forgotten));
}

/** When all that was taken off the list is forgotten. */
export async function settled() {
  await Promise.all(forgetting);
}
