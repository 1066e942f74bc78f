// The frames of a picture that moves, as those of a video: hashkit/media/animations.py. When each
// is shown stands in the file; the browser composes them.

import { uint } from "./bytes.js";
import { FACTS } from "./data.js";
import { noticeOf } from "./errors.js";
import { pdqOfLuma } from "./pdq.js";
import { FastLuma, keptTaps, PDQ_TURNS } from "./pdq_luma.js";
import { gifFrames, pngChunks, webpChunks } from "./picture_parts.js";
import { Sampler } from "./sampling.js";

/** @typedef {import("./errors.js").Notice} Notice */
/** @typedef {import("./options.js").HashOptions} HashOptions */
/** @typedef {import("./options.js").Watch} Watch */
/** @typedef {import("./hashing.js").Variant} Variant */
/** @typedef {import("./variants.js").VpdqHash} VpdqHash */

const SHOWN_AT_LEAST = 0.02; // seconds
const SHOWN_INSTEAD = 0.1; // what browsers make of frames that claim to be shown shorter
const LEAST_FRAME_SIDE = 5; // pixels
const NO_DENOMINATOR = 100; // of a time in PNG
const FIRST_FRAME_ONLY = "This picture moves. Its PDQ hash is of the first frame. This browser does "
  + "not give the others, so no video hashes were made.";

/**
 * @param {Uint8Array<ArrayBuffer>} bytes the file
 * @param {string} format
 * @param {HashOptions} options
 * @param {Watch} watch
 * @returns {Promise<{frames: VpdqHash, variants: Variant[], notices: Notice[]} | null>} null where
 *   this browser gives no frames but the first
 */
export async function hashAnimation(bytes, format, { sample, variants }, { onProgress, signal }) {
  const lengths = [...shownSeconds(bytes, format)];
  if (typeof ImageDecoder === "undefined" || lengths.length === 0) {
    return null;
  }
  const turns = Object.keys(PDQ_TURNS).slice(0, variants === "orientations" ? undefined : 1);
  const hashes = new Map(turns.map((name) => [name, /** @type {VpdqHash["frames"]} */ ([])]));
  /** @param {AnimationFrame[]} shown */
  const add = (shown) => {
    for (const { number, timestamp, pixels, width, height } of shown) {
      for (const [name, found] of hashes) {
        const hash = turnedHash(pixels, width, height, name);
        found.push({ frame: number, timestamp: Number(timestamp.toFixed(3)), ...hash });
      }
    }
  };
  /** @type {Sampler<AnimationFrame>} */
  const sampler = new Sampler(typeof sample === "number" ? sample : 0, null);
  const decoder = new ImageDecoder({ data: bytes, type: `image/${format}` });
  let end = 0;
  let isCutShort = false;
  try {
    for (const [number, duration] of lengths.entries()) {
      signal?.throwIfAborted();
      const decoded = await framePixels(decoder, number);
      if (decoded === null) {
        isCutShort = true;
        break;
      }
      add(sampler.take({ number, timestamp: end, duration, ...decoded }));
      end += duration;
      if (end > FACTS.limits.maxSeconds) {
        break;
      }
      onProgress?.(number / lengths.length);
    }
  } finally {
    decoder.close();
  }
  add(sampler.finish());
  const [original, ...others] = [...hashes]
    .map(([name, frames]) => ({ name, vpdq: { interval: sample, frames } }));
  return {
    frames: original.vpdq,
    variants: others.filter((each) => each.vpdq.frames.length > 0),
    notices: isCutShort ? [noticeOf("video_truncated", { start: 0, end, whole: null })] : [],
  };
}

/**
 * What is to be said instead where only the first frame was hashed.
 * @param {Notice} notice
 * @returns {Notice}
 */
export function ofFirstFrame(notice) {
  return notice.code === "animated" ? { ...notice, text: FIRST_FRAME_ONLY } : notice;
}

/**
 * @typedef {object} AnimationFrame
 * @property {number} number
 * @property {number} timestamp in seconds
 * @property {number} duration
 * @property {Uint8Array} pixels
 * @property {number} width
 * @property {number} height
 */

/**
 * How long each frame is shown, in seconds.
 * @param {Uint8Array} bytes
 * @param {string} format
 * @returns {Generator<number>}
 */
function* shownSeconds(bytes, format) {
  const shown = (/** @type {number} */ seconds) =>
    (seconds >= SHOWN_AT_LEAST ? seconds : SHOWN_INSTEAD);
  if (format === "gif") {
    for (const { control } of gifFrames(bytes)) {
      yield shown(control ? uint(bytes, control + 1, 2, true) / 100 : 0);
    }
  }
  if (format === "png") {
    for (const { name, begin } of pngChunks(bytes)) {
      if (name === "fcTL") {
        const whole = uint(bytes, begin + 22, 2) || NO_DENOMINATOR;
        yield shown(uint(bytes, begin + 20, 2) / whole);
      }
    }
  }
  if (format === "webp") {
    for (const { name, begin } of webpChunks(bytes)) {
      if (name === "ANMF") {
        yield shown(uint(bytes, begin + 12, 3, true) / 1000);
      }
    }
  }
}

/**
 * @param {ImageDecoder} decoder
 * @param {number} frameIndex
 * @returns {Promise<{pixels: Uint8Array, width: number, height: number} | null>} red, green, blue
 *   and a fourth byte, on white; null where the frame cannot be decoded
 */
async function framePixels(decoder, frameIndex) {
  let image;
  try {
    ({ image } = await decoder.decode({ frameIndex, completeFramesOnly: true }));
  } catch {
    return null;
  }
  const { displayWidth: width, displayHeight: height } = image;
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d", {
    alpha: false, willReadFrequently: true,
  }));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  image.close();
  const { data } = context.getImageData(0, 0, width, height);
  return { pixels: new Uint8Array(data.buffer), width, height };
}

/**
 * @param {Uint8Array} pixels
 * @param {number} width
 * @param {number} height
 * @param {string} turn one of PDQ_TURNS
 */
function turnedHash(pixels, width, height, turn) {
  if (Math.min(width, height) < LEAST_FRAME_SIDE) {
    return { value: "0".repeat(64), quality: 0 };
  }
  const [mirror, flip, swap] = PDQ_TURNS[turn];
  const reduction = new FastLuma(keptTaps(width, mirror), keptTaps(height, flip));
  for (let row = 0; row < height; row += 1) {
    reduction.addRow(pixels, 4 * row * width);
  }
  return pdqOfLuma(reduction.finish(swap));
}
