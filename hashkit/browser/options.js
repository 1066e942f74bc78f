// What may be asked of the engine, checked once: hashkit/pipeline/options.py.

import { FACTS } from "./data.js";
import { filledIn } from "./errors.js";

/** @typedef {"none" | "readings" | "orientations"} Level of variants */

/**
 * @typedef {object} HashOptions
 * @property {string[]} algorithms in the order of Python's registry
 * @property {number | "all" | "keyframes"} sample
 * @property {Level} variants
 * @property {number} maxPixels
 */

/**
 * @typedef {object} Watch
 * @property {(part: number) => void} [onProgress] called with the part that is done, 0 to 1
 * @property {AbortSignal} [signal] ends the work: the promise rejects with the signal's reason
 */

const MAX_SAMPLE = 1e6;
const OPTION_NAMES = ["algorithms", "sample", "variants", "maxPixels", "onProgress", "signal"];
/** @type {Level[]} */
const LEVELS_HERE = ["none", "readings", "orientations"];

/** What can be computed here. The others need the decoders of Python's libraries. */
const ALGORITHMS_HERE = Object.keys(FACTS.algorithms).filter((name) =>
  ["cryptographic", "pdq"].includes(FACTS.algorithms[name].family) || name === "vpdq");

/**
 * @param {object} given what a caller wants, or nothing
 * @returns {HashOptions & Watch} raises TypeError, with a sentence that says what is wrong
 */
export function checkedOptions(given) {
  if (typeof given !== "object" || given === null) {
    throw new TypeError("The options are an object.");
  }
  const unknown = Object.keys(given).find((name) => !OPTION_NAMES.includes(name));
  if (unknown !== undefined) {
    const known = OPTION_NAMES.join(", ");
    throw new TypeError(`There is no option called ${unknown}. Known: ${known}.`);
  }
  const { algorithms, sample, variants, maxPixels, onProgress, signal } =
    /** @type {Record<string, any>} */ (given);
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new TypeError("onProgress is a function.");
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError("signal is an AbortSignal.");
  }
  return {
    algorithms: checkedAlgorithms(algorithms ?? "services"),
    sample: checkedSample(sample ?? FACTS.defaults.sample),
    variants: checkedLevel(variants ?? FACTS.defaults.level),
    maxPixels: checkedPixels(maxPixels ?? FACTS.limits.maxPixels),
    onProgress,
    signal,
  };
}

/**
 * The names of one family among these.
 * @param {string[]} names
 * @param {string} family
 */
export function ofFamily(names, family) {
  return names.filter((name) => FACTS.algorithms[name].family === family);
}

/** @param {unknown} given names in a list, or in one text with commas between them */
function checkedAlgorithms(given) {
  const names = typeof given === "string" ? given.split(",") : given;
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) {
    throw new TypeError("algorithms are a list of names, or a text with commas between them.");
  }
  const known = `Known here: ${ALGORITHMS_HERE.join(", ")}, services, all.`;
  /** @type {Set<string>} */
  const wanted = new Set();
  for (const name of names.map((each) => each.trim().toLowerCase())) {
    if (name === "all" || name === "services") {
      ALGORITHMS_HERE.filter((each) => name === "all" || FACTS.algorithms[each].isDefault)
        .forEach((each) => wanted.add(each));
    } else if (ALGORITHMS_HERE.includes(name)) {
      wanted.add(name);
    } else if (Object.hasOwn(FACTS.algorithms, name)) {
      throw new TypeError(`${name} cannot be computed in a browser. ${known}`);
    } else {
      throw new TypeError(`There is no hash called "${name}". ${known}`);
    }
  }
  if (wanted.size === 0) {
    throw new TypeError(`No hash was asked for. ${known}`);
  }
  return ALGORITHMS_HERE.filter((name) => wanted.has(name));
}

/**
 * @param {unknown} sample
 * @returns {number | "all" | "keyframes"}
 */
function checkedSample(sample) {
  const isNumber = typeof sample === "number" && sample > 0 && sample < MAX_SAMPLE;
  if (sample === "all" || sample === "keyframes" || isNumber) {
    return sample;
  }
  throw new TypeError(`${filledIn(FACTS.sentences.unknownSample, { name: String(sample) })}.`);
}

/** @param {unknown} level */
function checkedLevel(level) {
  const found = LEVELS_HERE.find((each) => each === level);
  if (found !== undefined) {
    return found;
  }
  throw new TypeError(`variants are one of ${LEVELS_HERE.join(", ")} here, not ${String(level)}.`);
}

/** @param {unknown} most */
function checkedPixels(most) {
  if (typeof most === "number" && Number.isInteger(most) && most >= 1) {
    return most;
  }
  throw new TypeError("maxPixels is a whole number, at least 1.");
}
