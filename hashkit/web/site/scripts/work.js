// In the place of static/work.js: the engine in this page does the work.

import { checkedOptions } from "../../../browser/options.js";
import { WorkerPool } from "../../../browser/pool.js";
import { submissionText } from "../../../browser/submission.js";
import { sentences } from "../../static/steps.js";
import { describedAs } from "./telling.js";

const MAX_WORKERS = 4; // each may hold a picture of 200 million pixels
const MAX_SILENCE = 180_000; // milliseconds

// The policy of this page holds in a Worker that is made of a blob, and not in one that is loaded
// from an address. So a Worker is made of the text of the script that runs here.
const program = new Blob([document.currentScript.textContent], { type: "text/javascript" });
const programPlace = URL.createObjectURL(program);
const pool = new WorkerPool(
  () => new Worker(programPlace),
  Math.max(1, Math.min(navigator.hardwareConcurrency, MAX_WORKERS)),
  MAX_SILENCE,
);

/** Whether Workers can read files is known then. WebKit's cannot where the page is on disk, and the
 * page itself can. */
const workersTried = tryWorkers();

/** What came of each file, by its number. */
const outcomes = new Map();
let savedPlace = "";

async function tryWorkers() {
  const { error } = await pool.hash(new Blob(["text"]), checkedOptions({}), {});
  if (error?.code !== "not_media") pool.canStart = false;
}

/** Hashes a file, whose number is not used again. ``onPart`` is called with how much is done, 0 to
 * 1. Gives what came of it: a verdict, a title and points. */
export async function hashHere(number, file, { signal, onPart }) {
  await workersTried;
  signal.throwIfAborted();
  const outcome = await pool.hash(file, checkedOptions({}), { signal, onProgress: onPart });
  signal.throwIfAborted();
  outcomes.set(number, outcome);
  return describedAs(outcome, sentences);
}

/** Forgets what came of the file with this number. */
export async function forgetHere(number) {
  outcomes.delete(number);
}

/** What to do, for these answers. */
export async function guideFor({ age, age_in_picture, country, threatened }) {
  const answers = [age, age_in_picture, country, threatened].join("/");
  const shape = document.querySelector(`template[data-answers~="${answers}"]`);
  return withPieces(shape.content.cloneNode(true));
}

/** Puts the pieces into their places, which they have in templates and in other pieces, too. */
function withPieces(shape) {
  for (const inner of shape.querySelectorAll("template")) withPieces(inner.content);
  for (const place of shape.querySelectorAll("slot[data-piece]")) {
    const piece = document.getElementById(`piece-${place.dataset.piece}`).content.cloneNode(true);
    place.replaceWith(withPieces(piece));
  }
  return shape;
}

/** The address from which the submission of all that was hashed can be saved. */
export function placeOfSubmission() {
  URL.revokeObjectURL(savedPlace);
  const text = submissionText([...outcomes.values()]);
  savedPlace = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  return savedPlace;
}

/** The work here ends with the page, and not before. */
export function whenWorkEnds() {}

/** Forgets everything. */
export async function endWork() {
  outcomes.clear();
  URL.revokeObjectURL(savedPlace);
}
