// The engine's public face. Nothing that it is given leaves the browser: it makes no request but
// for its own modules.

import { checkedOptions } from "./options.js";
import { WorkerPool } from "./pool.js";
import { picturesOpened, videosOpened } from "./support.js";

export { submissionOf, submissionText } from "./submission.js";

/** @typedef {import("./hashing.js").Outcome} Outcome */

const MAX_WORKERS = 4; // each may hold a picture of 200 million pixels
const MAX_SILENCE = 180_000; // milliseconds, as in Python
const WORKER_ADDRESS = new URL("./worker.js", import.meta.url);
const POOL = new WorkerPool(
  () => new Worker(WORKER_ADDRESS, { type: "module" }),
  Math.min(navigator.hardwareConcurrency || 1, MAX_WORKERS),
  MAX_SILENCE,
);

/**
 * Hash a picture or a video. Call it for several files at once: as many as there are cores, and at
 * most four, are worked on at the same time.
 *
 * @param {Blob} file a File, or another Blob; its name is not looked at
 * @param {object} [options]
 * @param {string | string[]} [options.algorithms] `md5`, `sha1`, `sha256`, `sha512`, `pdq` (of
 *   pictures), `vpdq` (of videos), in a list or with commas between them; `services` (if not given)
 *   are all but `sha512`, and `all` are all
 * @param {number | "all" | "keyframes"} [options.sample] which frames of a video get a hash: one
 *   every so many seconds (1 if not given), all, or keyframes
 * @param {"none" | "readings" | "orientations"} [options.variants] hashes beside the original's:
 *   those of other readings of the same file (if not given), or also those of a picture turned and
 *   mirrored
 * @param {number} [options.maxPixels] limit of a picture (200 million if not given)
 * @param {(part: number) => void} [options.onProgress] called with the part that is done, 0 to 1
 * @param {AbortSignal} [options.signal] to cancel
 * @returns {Promise<Outcome>} what `hashkit hash --json` prints of the file, without its path. A
 *   file that cannot be opened has an `error` in it, and the hashes of its bytes where they could
 *   be read. Rejects with TypeError for wrong arguments, and with the signal's reason when it is
 *   cancelled; with nothing else
 */
export async function hashFile(file, options = {}) {
  if (!(file instanceof Blob)) {
    throw new TypeError("hashFile takes a File, as a page gets it from an input or a drop.");
  }
  const { onProgress, signal, ...wanted } = checkedOptions(options);
  signal?.throwIfAborted();
  return POOL.hash(file, wanted, {
    signal,
    // What the caller's function raises is the page's error, and not this file's.
    onProgress: onProgress && ((part) => queueMicrotask(() => onProgress(part))),
  });
}

/**
 * What this browser can open. What it cannot gets the hashes of its bytes, and an error.
 *
 * @returns {Promise<{pictures: Record<string, boolean>, videos: Record<string, boolean>}>} by the
 *   names of formats (`jpeg`, `heif` …), and of the codecs of videos (`h264`, `hevc` …)
 */
export async function supported() {
  const [pictures, videos] = await Promise.all([picturesOpened(), videosOpened()]);
  return { pictures, videos };
}
