// The frames of a picture that moves, as those of a video: hashkit/media/animations.py. When each
// is shown stands in the file; the browser composes them.

import { uint } from "./bytes.js";
import { isGifFrameWhole } from "./completeness_gif.js";
import { FACTS } from "./data.js";
import { noticeOf, thousandths } from "./errors.js";
import { pdqOfLuma } from "./pdq.js";
import { FastLuma, keptTaps, PDQ_TURNS } from "./pdq_luma.js";
import { gifFrames, pngChunks, webpChunks } from "./picture_parts.js";
import { frameStep, Sampler } from "./sampling.js";
import { readingsApart } from "./variants.js";

/** @typedef {import("./errors.js").Notice} Notice */
/** @typedef {import("./options.js").HashOptions} HashOptions */
/** @typedef {import("./options.js").Watch} Watch */
/** @typedef {import("./hashing.js").Variant} Variant */
/** @typedef {import("./variants.js").VpdqHash} VpdqHash */

const SHOWN_AT_LEAST = 0.02; // seconds
const SHOWN_INSTEAD = 0.1; // what browsers make of frames that claim to be shown shorter
const LEAST_FRAME_SIDE = 5; // pixels
const NO_DENOMINATOR = 100; // of a time in PNG
const GIF_DEFAULT = 10; // hundredths of a second, for a time of zero
const COUNTED = "by-frame-count";
const FIRST_FRAME_ONLY = "This picture moves. Its PDQ hash is of the first frame. This browser "
  + "does not give the others, so no video hashes were made.";

/**
 * @param {Uint8Array<ArrayBuffer>} bytes the file
 * @param {string} format
 * @param {HashOptions} options
 * @param {Watch} watch
 * @returns {Promise<{frames: VpdqHash, variants: Variant[], notices: Notice[]} | null>} null where
 *   this browser gives no frames but the first
 */
export async function hashAnimation(bytes, format, options, { onProgress, signal }) {
  const stored = [...storedFrames(bytes, format)];
  if (typeof ImageDecoder === "undefined" || stored.length === 0) {
    return null;
  }
  const work = new AnimationWork(options, format === "gif" ? countedRate(stored) : null);
  const decoder = new ImageDecoder({ data: bytes, type: `image/${format}` });
  let end = 0;
  let isCutShort = false;
  try {
    for (const [number, { duration, isWhole }] of stored.entries()) {
      signal?.throwIfAborted();
      const decoded = isWhole ? await framePixels(decoder, number) : null;
      if (decoded === null) {
        isCutShort = true;
        break;
      }
      work.add({ number, timestamp: end, duration, ...decoded });
      end += duration;
      if (end > FACTS.limits.maxSeconds) {
        break;
      }
      onProgress?.(number / stored.length);
    }
  } finally {
    decoder.close();
  }
  const { frames, variants } = work.finish();
  const isCounted = variants.some((each) => each.name === COUNTED);
  return {
    frames,
    variants,
    notices: [
      ...(isCounted ? [noticeOf("variable_rate")] : []),
      ...(isCutShort ? [noticeOf("video_truncated", { start: 0, end, whole: null })] : []),
    ],
  };
}

/** The hashes of the frames that are sampled: hashkit/pipeline/frame_hashing.py. */
class AnimationWork {
  /**
   * @param {HashOptions} options
   * @param {number | null} rate by which tools count that count frames, if that is known
   */
  constructor({ sample, variants }, rate) {
    this.sample = sample;
    this.turns = Object.keys(PDQ_TURNS).slice(0, variants === "orientations" ? undefined : 1);
    const interval = typeof sample === "number" ? sample : 0;
    /** @type {Sampler<AnimationFrame>} */
    this.sampler = new Sampler(interval, null);
    this.step = variants !== "none" && interval && rate ? frameStep(interval, rate) : 0;
    this.most = 2 * (FACTS.limits.maxSeconds / interval + 1);
    /** @type {Map<string, VpdqHash["frames"]>} by the turn, or the rule that takes the frames */
    this.hashes = new Map([...this.turns, COUNTED].map((name) => [name, []]));
  }

  /** @param {AnimationFrame} frame the next one */
  add(frame) {
    this.sampler.take(frame).forEach((each) => this.hash(each));
    if (this.step && frame.number % this.step === 0) {
      this.hashes.get(COUNTED)?.push(frameHash(frame, this.turns[0]));
    }
  }

  /** @param {AnimationFrame} frame */
  hash(frame) {
    this.turns.forEach((turn) => this.hashes.get(turn)?.push(frameHash(frame, turn)));
  }

  /** @returns {{frames: VpdqHash, variants: Variant[]}} */
  finish() {
    this.sampler.finish().forEach((each) => this.hash(each));
    const [original, ...others] = [...this.hashes]
      .map(([name, frames]) => ({ name, vpdq: { interval: this.sample, frames } }));
    const counted = others.splice(-1).filter((each) => each.vpdq.frames.length <= this.most);
    const edits = others.filter((each) => each.vpdq.frames.length > 0);
    const frames = original.vpdq;
    return { frames, variants: [...readingsApart(counted, frames), ...edits] };
  }
}

/**
 * Frames a second on average, as FFmpeg has it of a GIF: in whole hundredths for a frame.
 * @param {{stored: number}[]} frames
 */
function countedRate(frames) {
  const all = frames.reduce((sum, each) => sum + (each.stored || GIF_DEFAULT), 0);
  return 100 / Math.floor(all / frames.length);
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
 * What the file says of its frames: how long each is shown, in seconds, and whether it is whole, as
 * far as that can be seen here. Firefox shows what there is of a GIF's frame, and says nothing.
 * @param {Uint8Array} bytes
 * @param {string} format
 * @returns {Generator<{duration: number, stored: number, isWhole: boolean}>} `stored` is the time
 *   of a GIF's frame in hundredths of a second
 */
function* storedFrames(bytes, format) {
  const shown = (/** @type {number} */ seconds, stored = 0, isWhole = true) =>
    ({ duration: seconds >= SHOWN_AT_LEAST ? seconds : SHOWN_INSTEAD, stored, isWhole });
  if (format === "gif") {
    for (const { control, at } of gifFrames(bytes)) {
      const hundredths = control ? uint(bytes, control + 1, 2, true) : 0;
      yield shown(hundredths / 100, hundredths, isGifFrameWhole(bytes, at - 1));
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
 * @param {AnimationFrame} frame
 * @param {string} turn one of PDQ_TURNS
 */
function frameHash({ number, timestamp, pixels, width, height }, turn) {
  const hash = turnedHash(pixels, width, height, turn);
  return { frame: number, timestamp: Number(thousandths(timestamp)), ...hash };
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
