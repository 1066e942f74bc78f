// PDQ, bit for bit as hashkit and the reference have it (hashkit/hashes/pdq.py says where it is
// defined).
//
//     pixels -> 64x64 luma -> 16x16 DCT -> 256 bits, each set where a coefficient is above the
//               median -> quality: the sum of the gradients
//
// The luma is computed fast, from the few pixels that count at each of the 64 by 64 places. The
// reference adds in float32 and gathers errors. Where they could decide a bit or the quality, the
// luma is computed again with the additions of the reference, in its order. A float32 sum, product
// or quotient that is computed as a double and rounded once is exact, so that any browser can.

import { FastLuma, keptTaps, PDQ_SIDE, PDQ_TURNS, ReferenceLuma } from "./pdq_luma.js";

/**
 * @typedef {{width: number, height: number,
 *   bands: () => AsyncIterable<{data: Uint8Array | Uint8ClampedArray, rows: number}>,
 *   stored?: {picture: PdqPicture, turn: string}}} PdqPicture
 *   rows of red, green, blue and a fourth byte, upright, from the top; `bands` may be called twice
 */
/** @typedef {{value: string, quality: number}} PdqHash */

const PDQ_MIN_SIDE = 5; // pictures with a shorter side have the hash zero and the quality 0

// As in pdq.py, 0.002 and 0.004, with room for the errors of its float32 sums (largest seen:
// 0.00003 and 0.0002): the fast luma must not be trusted where Python does not trust it.
const LUMA_TOLERANCE = 0.0021;
const DCT_TOLERANCE = 0.0042;

/** Rows 1 to 16 of the 64-point DCT, in float32 as the reference has them. */
const DCT_ROWS = Float32Array.from({ length: 16 * PDQ_SIDE }, (_, place) => {
  const row = Math.floor(place / PDQ_SIDE);
  const angle = (Math.PI / 2 / PDQ_SIDE) * (row + 1) * (2 * (place % PDQ_SIDE) + 1);
  return Math.fround(Math.sqrt(2 / PDQ_SIDE)) * Math.cos(angle);
});

/**
 * The PDQ hash of a picture.
 * @param {PdqPicture} picture
 * @param {{orientations?: boolean}} [options] `orientations` where those are wanted of the
 *   coefficients: they are then exact for all eight
 * @returns {Promise<PdqHash & {coefficients: Float32Array}>}
 */
export async function pdqOf(picture, { orientations = false } = {}) {
  if (Math.min(picture.width, picture.height) < PDQ_MIN_SIDE) {
    return { value: "0".repeat(64), quality: 0, coefficients: new Float32Array(256) };
  }
  const turns = orientations ? Object.keys(PDQ_TURNS) : ["original"];
  let luma = await fastLumaOf(picture.stored ?? { picture, turn: "original" });
  let coefficients = pdqDct(luma, Number);
  if (roundingDecides(luma, coefficients, turns)) {
    const { width, height } = picture;
    luma = (await feedRows(picture, new ReferenceLuma(width, height))).finish();
    coefficients = pdqDct(luma, Math.fround);
  }
  return { value: pdqBits(coefficients), quality: pdqQuality(luma), coefficients };
}

/**
 * The luma of a picture that is turned, of the rows as they lie: to turn the pixels takes longer.
 * @param {{picture: PdqPicture, turn: string}} stored
 */
async function fastLumaOf({ picture, turn }) {
  const [mirror, flip, swap] = PDQ_TURNS[turn];
  const across = keptTaps(picture.width, mirror);
  const down = keptTaps(picture.height, flip);
  return (await feedRows(picture, new FastLuma(across, down))).finish(swap);
}

/**
 * Give a picture's rows to something that takes them. RangeError where they are not all there:
 * there must be no hash of a part.
 * @template {{addRow: (data: Uint8Array, place: number) => void}} Taker
 * @param {PdqPicture} picture
 * @param {Taker} taker
 * @returns {Promise<Taker>} the same
 */
export async function feedRows(picture, taker) {
  let missing = picture.height;
  for await (const { data, rows } of picture.bands()) {
    missing -= data.length >= 4 * rows * picture.width ? rows : Infinity;
    if (missing < 0) break;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
    for (let row = 0; row < rows; row++) taker.addRow(bytes, 4 * row * picture.width);
  }
  if (missing !== 0) throw new RangeError("the bands of a picture are not the picture");
  return taker;
}

/**
 * Value and quality of a picture that is reduced already, such as a frame of a video.
 * @param {Float32Array} luma 64x64 of it, 0 to 255
 * @returns {PdqHash}
 */
export function pdqOfLuma(luma) {
  return { value: pdqBits(pdqDct(luma, Number)), quality: pdqQuality(luma) };
}

/**
 * Reduce a plane of 8-bit luma to 64x64.
 * @param {Uint8Array} plane
 * @param {number} width
 * @param {number} height
 * @param {number} stride bytes from one row to the next
 * @param {string} [turn] a name of PDQ_TURNS, for the luma of the plane turned so
 * @returns {Float32Array}
 */
export function reduceLuma(plane, width, height, stride, turn = "original") {
  const [mirror, flip, swap] = PDQ_TURNS[turn];
  const reduction = new FastLuma(keptTaps(width, mirror), keptTaps(height, flip));
  for (let row = 0; row < height; row++) reduction.addPlaneRow(plane, row * stride);
  return reduction.finish(swap);
}

/**
 * The hashes of a picture turned all eight ways, original first, of `pdqOf`'s coefficients.
 * @param {Float32Array} coefficients
 * @returns {{name: string, value: string}[]}
 */
export function orientationsOf(coefficients) {
  return Object.keys(PDQ_TURNS).map((name) => {
    return { name, value: pdqBits(turnedDct(coefficients, name)) };
  });
}

/**
 * In how many of the 256 bits two values differ.
 * @param {string} a 64 hex digits
 * @param {string} b
 * @returns {number}
 */
export function pdqDistance(a, b) {
  return bitsApart(pdqWords(a), pdqWords(b), 256);
}

/** @param {string} value @returns {Uint32Array} its 256 bits */
export function pdqWords(value) {
  return Uint32Array.from({ length: 8 }, (_, i) => parseInt(value.slice(8 * i, 8 * i + 8), 16));
}

/**
 * In how many bits two values differ, or a number above `most` if that is more.
 * @param {Uint32Array} a @param {Uint32Array} b @param {number} most @returns {number}
 */
export function bitsApart(a, b, most) {
  let count = 0;
  for (let i = 0; i < 8 && count <= most; i++) {
    let bits = a[i] ^ b[i];
    bits -= (bits >>> 1) & 0x55555555; // how many of every two, four and eight bits are set
    bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
    bits = (bits + (bits >>> 4)) & 0x0f0f0f0f;
    count += Math.imul(bits, 0x01010101) >>> 24;
  }
  return count;
}

/**
 * The 16x16 DCT of a 64x64 luma.
 * @param {Float32Array} luma
 * @param {(value: number) => number} round what is done to each product and sum: Math.fround for
 *   those of the reference, which adds them in this order
 * @returns {Float32Array}
 */
function pdqDct(luma, round) {
  const half = new Float64Array(16 * PDQ_SIDE);
  const coefficients = new Float32Array(256);
  for (let i = 0; i < 16; i++) {
    for (let x = 0; x < PDQ_SIDE; x++) {
      let sum = 0;
      for (let k = 0; k < PDQ_SIDE; k++) {
        sum = round(sum + round(DCT_ROWS[PDQ_SIDE * i + k] * luma[PDQ_SIDE * k + x]));
      }
      half[PDQ_SIDE * i + x] = sum;
    }
    for (let j = 0; j < 16; j++) {
      let sum = 0;
      for (let k = 0; k < PDQ_SIDE; k++) {
        sum = round(sum + round(half[PDQ_SIDE * i + k] * DCT_ROWS[PDQ_SIDE * j + k]));
      }
      coefficients[16 * i + j] = sum;
    }
  }
  return coefficients;
}

/**
 * The DCT of the turned picture: mirroring a line changes the sign of its odd frequencies.
 * @param {Float32Array} coefficients @param {string} name of PDQ_TURNS
 */
function turnedDct(coefficients, name) {
  const [mirror, flip, swap] = PDQ_TURNS[name];
  return coefficients.map((_, place) => {
    const [i, j] = swap ? [place % 16, place >> 4] : [place >> 4, place % 16];
    const negative = (mirror && j % 2 === 0) !== (flip && i % 2 === 0); // frequencies count from 1
    return negative ? -coefficients[16 * i + j] : coefficients[16 * i + j];
  });
}

/** @param {Float32Array} coefficients @returns {string} bit 255 first */
function pdqBits(coefficients) {
  const sorted = coefficients.slice();
  sorted.sort();
  const median = sorted[127];
  let hex = "";
  for (let place = 252; place >= 0; place -= 4) {
    let digit = 0;
    for (let bit = 3; bit >= 0; bit--) digit = 2 * digit + +(coefficients[place + bit] > median);
    hex += digit.toString(16);
  }
  return hex;
}

/**
 * The reference's measure of how much there is to see, 0 to 100.
 * @param {Float32Array} luma
 * @param {number} [slack] added to the size of each gradient, in percent of the range
 * @returns {number}
 */
function pdqQuality(luma, slack = 0) {
  let sum = 0;
  for (let place = 0; place < luma.length; place++) {
    const row = place >> 6;
    if (row < 63) sum += pdqGradient(luma[place], luma[place + PDQ_SIDE], slack);
    if (place % PDQ_SIDE < 63) sum += pdqGradient(luma[place], luma[place + 1], slack);
  }
  return Math.min(Math.floor(sum / 90), 100);
}

/** @param {number} a @param {number} b @param {number} slack @returns {number} whole percents */
function pdqGradient(a, b, slack) {
  const size = Math.fround(Math.fround(Math.fround(Math.abs(a - b)) * 100) / 255);
  return Math.floor(Math.max(size + slack, 0));
}

/**
 * Whether the reference, within the tolerances, may have another quality or another bit.
 * @param {Float32Array} luma
 * @param {Float32Array} coefficients
 * @param {string[]} turns names of those that are wanted
 * @returns {boolean}
 */
function roundingDecides(luma, coefficients, turns) {
  const slack = (2 * LUMA_TOLERANCE * 100) / 255;
  if (pdqQuality(luma, slack) !== pdqQuality(luma, -slack)) return true;
  return turns.some((name) => {
    const sorted = turnedDct(coefficients, name);
    sorted.sort();
    return sorted[128] - sorted[127] < 2 * DCT_TOLERANCE;
  });
}
