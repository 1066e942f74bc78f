// From a decoded frame to its hash. Most browsers give the luma plane as it was coded. Firefox
// gives red, green and blue: the plane is worked out again by the numbers that it went by, as
// tests/browser/test_videos.py measures. What it does otherwise (of a full range it cuts off both
// ends) is refused.

import { IDENTITY } from "./codecs.js";
import { HashkitError } from "./errors.js";
import { FACTS } from "./data.js";
import { pdqOfLuma, reduceLuma } from "./pdq.js";
import { PDQ_TURNS } from "./pdq_luma.js";

/** @typedef {import("./codecs.js").Coding} Coding */
/** @typedef {{width: number, height: number, stride: number, isLimited: boolean}} PlaneShape */
/** @typedef {PlaneShape & {plane: Uint8Array}} LumaPlane */
/** @typedef {{value: string, quality: number}} PdqHash */

const LEAST_SIDE = 5; // pixels
const DARK = { value: "0".repeat(64), quality: 0 };

// Weights of red, green and blue, by the matrix (ISO/IEC 23091-2).
const WEIGHTS_BT601 = [0.299, 0.587, 0.114];
const WEIGHTS_BT709 = [0.2126, 0.7152, 0.0722];
const WEIGHTS_BT2020 = [0.2627, 0.678, 0.0593];
/** @type {Record<number, number[]>} */
const MATRIX_WEIGHTS = {
  0: WEIGHTS_BT601, 1: WEIGHTS_BT709, 5: WEIGHTS_BT601, 6: WEIGHTS_BT601, 9: WEIGHTS_BT2020,
};
const HIGH_DEFINITION = 720; // lines
const RARE_CHROMA = /^(vp09\.0[13]|av01\.[12])/; // not of a quarter of the pixels: other numbers

/** The error for what this browser cannot decode, or not in a way that gives the right hash. */
export function notPlayable() {
  return new HashkitError("unsupported_media", FACTS.sentences.videoUnsupported);
}

/**
 * The luma of a frame as it is stored.
 * @param {VideoFrame} frame
 * @param {Coding} coding
 * @returns {Promise<LumaPlane>}
 */
export async function lumaPlaneOf(frame, coding) {
  const { format, visibleRect } = frame;
  if (!format || !visibleRect) throw notPlayable();
  const { width, height } = visibleRect;
  const { bytes, layout } = await copied(frame);
  const { offset, stride } = layout[0];
  const plane = bytes.subarray(offset);
  const isLimited = !coding.colour.isFullRange;
  if (/^(RGB|BGR)[AX]$/.test(format)) {
    return fromColours(plane, { width, height, stride, isLimited }, format, coding);
  }
  if (format === "I444" && coding.colour.matrix === IDENTITY) {
    const planes = layout.map((each) => bytes.subarray(each.offset)); // green, blue, red
    return fromPlanes([planes[2], planes[0], planes[1]], width, height, layout[0].stride);
  }
  const depth = /^(I4(?:20|22|44)A?|NV12)(?:P(10|12))?$/.exec(format);
  if (!depth || coding.colour.matrix === IDENTITY) throw notPlayable();
  if (!depth[2]) return { plane, width, height, stride, isLimited };
  return { ...fromDeep(plane, width, height, stride, Number(depth[2]) - 8), isLimited };
}

/** @param {VideoFrame} frame */
async function copied(frame) {
  try {
    const bytes = new Uint8Array(frame.allocationSize());
    return { bytes, layout: await frame.copyTo(bytes) };
  } catch {
    throw notPlayable(); // some browsers have formats that they do not hand out
  }
}

/**
 * @param {Uint8Array} bytes of two each
 * @param {number} width
 * @param {number} height
 * @param {number} stride in bytes
 * @param {number} shift
 */
function fromDeep(bytes, width, height, stride, shift) {
  const plane = new Uint8Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let place = y * stride, x = 0; x < width; x++, place += 2) {
      plane[at++] = (bytes[place] | (bytes[place + 1] << 8)) >> shift;
    }
  }
  return { plane, width, height, stride: width };
}

/**
 * @param {Uint8Array[]} planes red, green, blue
 * @param {number} width
 * @param {number} height
 * @param {number} stride
 * @returns {LumaPlane}
 */
function fromPlanes([red, green, blue], width, height, stride) {
  const plane = new Uint8Array(width * height);
  const [r, g, b] = WEIGHTS_BT601;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0, place = y * stride; x < width; x++, place++) {
      plane[at++] = r * red[place] + g * green[place] + b * blue[place] + 0.5;
    }
  }
  return { plane, width, height, stride: width, isLimited: false };
}

/**
 * @param {Uint8Array} bytes
 * @param {PlaneShape} shape
 * @param {string} format
 * @param {Coding} coding
 * @returns {LumaPlane}
 */
function fromColours(bytes, { width, height, stride, isLimited }, format, coding) {
  const weights = MATRIX_WEIGHTS[coding.colour.matrix ?? usualMatrix(coding.family, height)];
  const isPlain = coding.colour.matrix === IDENTITY;
  const isUsual = isLimited && !RARE_CHROMA.test(coding.name);
  if (!weights || !(isPlain || isUsual)) throw notPlayable();
  const [scale, base] = isPlain ? [1, 0.5] : [219 / 255, 16.5];
  const [r, g, b] = weights.map((weight) => weight * scale);
  const [first, last] = format[0] === "R" ? [r, b] : [b, r];
  const plane = new Uint8Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let place = y * stride, end = place + 4 * width; place < end; place += 4) {
      plane[at++] = first * bytes[place] + g * bytes[place + 1] + last * bytes[place + 2] + base;
    }
  }
  return { plane, width, height, stride: width, isLimited: !isPlain && isLimited };
}

/**
 * What is taken for the matrix where nothing says it.
 * @param {string} family
 * @param {number} height
 */
function usualMatrix(family, height) {
  const isHigh = family !== "vp8" && (family !== "av1" || height >= HIGH_DEFINITION);
  return isHigh ? 1 : 6;
}

/**
 * @param {LumaPlane} luma
 * @param {string} turn one of PDQ_TURNS
 * @returns {PdqHash} of the plane turned so
 */
export function hashOfPlane({ plane, width, height, stride, isLimited }, turn) {
  if (Math.min(width, height) < LEAST_SIDE) return DARK;
  const luma = reduceLuma(plane, width, height, stride, turn);
  if (isLimited) stretchLuma(luma);
  return pdqOfLuma(luma);
}

/** From 16 to 235 to 0 to 255, rounded as Python does. @param {Float32Array} luma */
function stretchLuma(luma) {
  const gain = Math.fround(255 / 219);
  for (let i = 0; i < luma.length; i++) {
    luma[i] = Math.min(Math.max(Math.fround(luma[i] - 16) * gain, 0), 255);
  }
}

/**
 * The name of the turn that a player does, of those of PDQ_TURNS, and another one after it.
 * @param {import("./tracks.js").Turn} turn
 * @param {string} [then] one of PDQ_TURNS
 */
export function turnNamed({ swap, mirror, flip }, then = "original") {
  const shown = swap ? [flip, mirror, swap] : [mirror, flip, swap];
  const [left, top, transpose] = PDQ_TURNS[then];
  const wanted = [
    shown[0] !== (swap ? top : left),
    shown[1] !== (swap ? left : top),
    swap !== transpose,
  ].join();
  return Object.keys(PDQ_TURNS).find((name) => PDQ_TURNS[name].join() === wanted) ?? "original";
}
