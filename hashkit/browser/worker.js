// The module Worker of hashkit.js: hashes one file after the other, each for one message.

import { hashBlob, hashBytesOnly } from "./hashing.js";

/**
 * @typedef {object} WorkerJob
 * @property {Blob} blob
 * @property {import("./options.js").HashOptions} options
 * @property {string} [failed] the code of the error with which the file's decoding has failed: then
 *   only its digests are made
 */

/** @param {MessageEvent<WorkerJob>} event */
async function hashForPage({ data: { blob, options, failed } }) {
  const watch = { onProgress: (/** @type {number} */ progress) => postMessage({ progress }) };
  const outcome = failed === undefined
    ? await hashBlob(blob, options, watch)
    : await hashBytesOnly(blob, options, failed, watch);
  postMessage({ outcome });
}

addEventListener("message", hashForPage);
postMessage({ ready: true }); // it was loaded: what goes wrong from now on is a file's fault
