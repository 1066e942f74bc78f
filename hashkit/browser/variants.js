// Hashes beside that of the picture as people see it: of other readings of the same file, as the
// tools of services may read it (hashkit/variants/readings.py), and of the picture turned over
// (hashkit/variants/computing.py).

import { FACTS } from "./data.js";
import { bitsApart, feedRows, pdqDistance, pdqOf, pdqOfLuma, pdqWords } from "./pdq.js";
import { SmallCopy } from "./small_copy.js";

/** @typedef {import("./pdq.js").PdqHash} PdqHash */
/** @typedef {import("./pdq.js").PdqPicture} PdqPicture */
/** @typedef {PdqHash & {name: string}} NamedHash */
/** @typedef {{frame: number, timestamp: number, value: string, quality: number}} FrameHash */
/** @typedef {{interval: number | string, frames: FrameHash[]}} VpdqHash */

const LEAST_QUALITY = FACTS.algorithms.pdq.minQuality ?? 0;
const APART = FACTS.limits.apart; // bits: nearer hashes find nearly the same copies

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
  const copy = await feedRows(picture, new SmallCopy(picture.width, picture.height));
  const values = new Set([original.value]);
  return FACTS.orientations.slice(1).flatMap((name) => {
    const { value, quality } = pdqOfLuma(copy.luma(name));
    if (quality < LEAST_QUALITY || values.has(value)) return [];
    values.add(value);
    return [{ name, value, quality }];
  });
}
