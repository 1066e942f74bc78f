// Hashes beside that of the picture as people see it: of other readings of the same file, as the
// tools of services may read it (hashkit/variants/readings.py), and of the picture turned over
// (hashkit/variants/computing.py).

import { FACTS } from "./data.js";
import { bitsApart, pdqDistance, pdqOf, pdqOfLuma, pdqWords } from "./pdq.js";
import { blurSize, FastLuma, keptPositions, PDQ_TURNS, tapsOf } from "./pdq_luma.js";

/** @typedef {import("./pdq.js").PdqHash} PdqHash */
/** @typedef {import("./pdq.js").PdqPicture} PdqPicture */
/** @typedef {PdqHash & {name: string}} NamedHash */
/** @typedef {{frame: number, timestamp: number, value: string, quality: number}} FrameHash */
/** @typedef {{interval: number | string, frames: FrameHash[]}} VpdqHash */
/** @typedef {{width: number, height: number, data: Uint8Array}} SmallCopy */

const LEAST_QUALITY = FACTS.algorithms.pdq.minQuality ?? 0;
const APART = FACTS.limits.apart; // bits: nearer hashes find nearly the same copies

// As in computing.py: the longer side, the shorter side of long pictures, and both together.
const SMALL_SIDE = 1024;
const SMALL_SHORTER = 512;
const SMALL_PIXELS = 4 << 20;

/**
 * The hashes of other readings of a picture. Left out is what a service would not take, and what is
 * within 16 bits of one before.
 * @param {Iterable<{name: string, picture: PdqPicture}>} readings
 * @param {PdqHash} original
 * @returns {Promise<NamedHash[]>}
 */
export async function hashReadings(readings, original) {
  /** @type {NamedHash[]} */
  const kept = [];
  for (const { name, picture } of readings) {
    const { value, quality } = await pdqOf(picture);
    const isNew = [original, ...kept].every((each) => pdqDistance(value, each.value) > APART);
    if (quality >= LEAST_QUALITY && isNew) kept.push({ name, value, quality });
  }
  return kept;
}

/**
 * Those readings of a video that have a frame, of a quality that services take, that is more than
 * 16 bits from all frames of the original and of each reading before.
 * @param {{name: string, vpdq: VpdqHash}[]} readings
 * @param {VpdqHash} original
 * @returns {{name: string, vpdq: VpdqHash}[]}
 */
export function readingsApart(readings, original) {
  /** @type {{name: string, vpdq: VpdqHash}[]} */
  const kept = [];
  for (const each of readings) {
    const before = [original, ...kept.map((other) => other.vpdq)];
    if (before.every((other) => showsMore(each.vpdq, other))) kept.push(each);
  }
  return kept;
}

/** @param {VpdqHash} reading @param {VpdqHash} other @returns {boolean} */
function showsMore(reading, other) {
  const known = goodValues(other);
  const others = [...known].map(pdqWords);
  return [...goodValues(reading)].some((value) => {
    if (known.has(value)) return false;
    const words = pdqWords(value);
    return others.every((each) => bitsApart(words, each, APART) > APART);
  });
}

/** @param {VpdqHash} vpdq @returns {Set<string>} */
function goodValues({ frames }) {
  return new Set(frames.filter((each) => each.quality >= LEAST_QUALITY).map((each) => each.value));
}

/**
 * The hashes of a picture turned over: what a service would take, each once. They are computed of
 * a small copy, as hashkit does, and are within two bits of those of the turned picture.
 * @param {PdqPicture} picture
 * @param {PdqHash} original
 * @returns {Promise<NamedHash[]>}
 */
export async function hashEdits(picture, original) {
  if (original.quality < LEAST_QUALITY) return [];
  const copy = await smallCopyOf(picture);
  const values = new Set([original.value]);
  return FACTS.orientations.slice(1).flatMap((name) => {
    const { value, quality } = pdqOfLuma(turnedLuma(copy, picture, PDQ_TURNS[name]));
    if (quality < LEAST_QUALITY || values.has(value)) return [];
    values.add(value);
    return [{ name, value, quality }];
  });
}

/** @param {SmallCopy} copy @param {PdqPicture} of @param {[boolean, boolean, boolean]} turn */
function turnedLuma({ width, height, data }, of, [mirror, flip, swap]) {
  const across = scaledTaps(width, of.width, mirror);
  const reduction = new FastLuma(across, scaledTaps(height, of.height, flip));
  for (let row = 0; row < height; row++) reduction.addRow(data, 4 * row * width);
  return reduction.finish(swap);
}

/**
 * What counts in a line of a small copy at the 64 positions that are kept of the whole line.
 * @param {number} length of the line @param {number} whole pixels that it had
 * @param {boolean} backwards @returns {import("./pdq_luma.js").Taps}
 */
function scaledTaps(length, whole, backwards) {
  const blur = blurSize(whole);
  const pixel = whole / length;
  const many = Math.min(length, Math.floor((2 * blur) / pixel) + 3);
  const all = keptPositions(whole).map((position) => {
    const middle = position + (blur % 2 === 0 ? 1 : 0); // even ones lean to the end
    const nearest = Math.floor((middle - blur) / pixel) - 1;
    const start = Math.min(Math.max(nearest, 0), length - many);
    const before = (/** @type {number} */ edge) => {
      return weightBefore(Math.min(Math.max(edge, 0), whole) - middle, blur);
    };
    const inside = before(whole) - before(0); // what is left of the window counts for all of it
    const weights = Float64Array.from({ length: many }, (_, i) => {
      return (before((start + i + 1) * pixel) - before((start + i) * pixel)) / inside;
    });
    return { start, weights };
  });
  return tapsOf(all, length, backwards);
}

/**
 * The sum of PDQ's weights before `offset` pixels from where the middle one begins. A mean of means
 * has weights that rise and fall in equal steps, and their sum is a straight line within a pixel.
 * @param {number} offset @param {number} blur @returns {number}
 */
function weightBefore(offset, blur) {
  const within = Math.min(Math.max(offset, -blur), blur);
  const pixel = Math.floor(within);
  const [before, after] = [pixel, pixel + 1].map((edge) => {
    const rising = Math.min(Math.max(edge + blur - 1, 0), blur);
    const falling = Math.min(Math.max(blur - edge, 0), blur);
    const twice = edge <= 0 ? rising * (rising + 1) : 2 * blur ** 2 - falling * (falling + 1);
    return twice / (2 * blur ** 2);
  });
  return before + (within - pixel) * (after - before);
}

/**
 * A copy in which each pixel is the mean of those that it covers, as OpenCV's INTER_AREA has it,
 * with its float32 sums.
 * @param {PdqPicture} picture @returns {Promise<SmallCopy>}
 */
async function smallCopyOf(picture) {
  const sides = [picture.width, picture.height];
  const enough = Math.max(SMALL_SIDE / Math.max(...sides), SMALL_SHORTER / Math.min(...sides));
  const part = Math.min(1, enough, Math.sqrt(SMALL_PIXELS / (sides[0] * sides[1])));
  const [width, height] = sides.map((side) => Math.max(1, roundHalfEven(side * part)));
  const data = new Uint8Array(4 * width * height);
  const across = coveredBy(picture.width, width);
  const down = coveredBy(picture.height, height);
  const isHalved = picture.width === 2 * width && picture.height === 2 * height;
  const line = new Float32Array(4 * width);
  const sums = new Float32Array(4 * width);
  let row = 0;
  let next = 0; // in `down`
  for await (const { data: pixels, rows } of picture.bands()) {
    for (let start = 0; start < rows; start++, row++) {
      shrinkRow(pixels, 4 * start * picture.width, across, line);
      for (; next < down.length && down[next].from === row; next++) {
        const { to, share } = down[next];
        for (let i = 0; i < line.length; i++) sums[i] += Math.fround(share * line[i]);
        if (down[next + 1]?.to === to) continue;
        // OpenCV rounds halves up where it halves both sides.
        sums.forEach((sum, i) => {
          data[to * sums.length + i] = isHalved ? Math.floor(sum + 0.5) : roundHalfEven(sum);
        });
        sums.fill(0);
      }
    }
  }
  return { width, height, data };
}

/** @typedef {{to: number, from: number, share: number}} Share */

/** @param {number} length @param {number} shorter @returns {Share[]} */
function coveredBy(length, shorter) {
  const scale = 1 / (shorter / length); // as OpenCV computes it
  /** @type {Share[]} */
  const shares = [];
  for (let to = 0; to < shorter; to++) {
    const [start, end] = [to * scale, to * scale + scale];
    const width = Math.min(scale, length - start);
    const last = Math.min(Math.floor(end), length - 1);
    const first = Math.min(Math.ceil(start), last);
    const add = (/** @type {number} */ from, /** @type {number} */ part) => {
      shares.push({ to, from, share: Math.fround(part / width) });
    };
    if (first - start > 1e-3) add(first - 1, first - start);
    for (let from = first; from < last; from++) add(from, 1);
    if (end - last > 1e-3) add(last, Math.min(end - last, 1, width));
  }
  return shares;
}

/**
 * @param {Uint8Array | Uint8ClampedArray} pixels @param {number} place of the row in them
 * @param {Share[]} shares @param {Float32Array} line where the result goes
 */
function shrinkRow(pixels, place, shares, line) {
  line.fill(0);
  for (const { to, from, share } of shares) {
    for (let channel = 0; channel < 3; channel++) {
      line[4 * to + channel] += Math.fround(share * pixels[place + 4 * from + channel]);
    }
  }
}

/** @param {number} value @returns {number} */
function roundHalfEven(value) {
  const whole = Math.floor(value);
  const rest = value - whole;
  return rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? whole + 1 : whole;
}
