// The submission: the hashes that may leave the device, as hashkit writes them, byte for byte
// (hashkit/submission/document.py). Only what is named here is taken over from a result: no path,
// no name, no date.

import { FACTS } from "./data.js";

/** @typedef {{[name: string]: unknown}} JsonObject */
/** @typedef {{[name: string]: (value: any) => boolean}} FieldChecks */
/** @typedef {{kind: string, hashes: JsonObject, variants?: JsonObject[]}} SubmissionItem */

const AS_FLOATS = new Set(["interval", "timestamp"]); // in Python; 1.0 is written as such
const MAX_SECONDS_WRITTEN = 1e9;
const NOT_RESULTS = "a submission is made of a list of what hashFile gives";

/**
 * The document of what was hashed: of the results, everything that has a hash, each once, in the
 * order of their hashes, so that it says nothing of the order of the files.
 * @param {unknown} results a list of what hashFile gives, or of what `hashkit hash --json` prints
 * @returns {{format: string, version: number, items: SubmissionItem[]}}
 *   TypeError for anything else, and for what is no hash in them
 */
export function submissionOf(results) {
  checkResult(Array.isArray(results));
  /** @type {Map<string, SubmissionItem>} */
  const items = new Map();
  for (const item of /** @type {unknown[]} */ (results).map(itemOf)) {
    if (item === null) continue;
    // A space comes before all hex digits, so that the shorter of two keys comes first.
    items.set(`${item.hashes.sha256 ?? ""} ${pythonJson(item, { sorted: true })}`, item);
  }
  const keys = [...items.keys()];
  keys.sort();
  const names = [...items.values()].flatMap((item) => item.variants ?? []).map(({ name }) => name);
  const readings = new Set([...FACTS.stillReadings, ...FACTS.movingReadings]);
  const { format, version, versionWithReadings } = FACTS.submission;
  return {
    format,
    version: names.some((name) => readings.has(String(name))) ? versionWithReadings : version,
    items: keys.map((key) => /** @type {SubmissionItem} */ (items.get(key))),
  };
}

/**
 * The same as text: what `hashkit hash --out` writes.
 * @param {unknown} results as for submissionOf
 * @returns {string}
 */
export function submissionText(results) {
  return `${pythonJson(submissionOf(results), { indent: "\n" })}\n`;
}

/** @param {unknown} result @returns {SubmissionItem | null} null where there are no hashes */
function itemOf(result) {
  const { kind, hashes, variants = [] } = resultFields(result);
  if (kind === undefined || hashes === undefined) return null;
  checkResult((kind === "image" || kind === "video") && Array.isArray(variants));
  const item = { kind: String(kind), hashes: onlyHashes(hashes) };
  if (Object.keys(item.hashes).length === 0) return null;
  const named = /** @type {unknown[]} */ (variants).map(onlyVariant);
  return named.length === 0 ? item : { ...item, variants: named };
}

/** @param {unknown} untrusted */
function onlyVariant(untrusted) {
  const { name, ...hashed } = resultFields(untrusted);
  checkResult(isText(name, /^[a-z0-9]+([-+.][a-z0-9]+)*$/));
  return { name, ...onlyHashes(hashed) };
}

/** @param {unknown} untrusted @returns {JsonObject} checked, in the order of all algorithms */
function onlyHashes(untrusted) {
  const hashes = resultFields(untrusted);
  const known = Object.keys(FACTS.algorithms).filter((name) => Object.hasOwn(hashes, name));
  checkResult(known.length === Object.keys(hashes).length);
  return Object.fromEntries(known.map((name) => [name, onlyHash(name, hashes[name])]));
}

/** @param {string} name @param {unknown} untrusted */
function onlyHash(name, untrusted) {
  if (name === "vpdq") {
    const { interval, frames } = onlyFields(untrusted, OF_VPDQ);
    const only = (/** @type {unknown} */ each) => onlyFields(each, OF_FRAME);
    return { interval, frames: frames.map(only) };
  }
  if (name === "tmk_pdqf") return onlyFields(untrusted, OF_TMK);
  if (FACTS.algorithms[name].minQuality !== null) return onlyFields(untrusted, OF_PDQ);
  const more = name === "crop_resistant" ? 255 : 0;
  checkResult(isHex(untrusted, FACTS.algorithms[name].bits, more));
  return untrusted;
}

/** @type {FieldChecks} */
const OF_PDQ = {
  value: (value) => isHex(value, FACTS.algorithms.pdq.bits),
  quality: (value) => isWhole(value) && value <= 100,
};
/** @type {FieldChecks} */
const OF_FRAME = { frame: isWhole, timestamp: isSeconds, ...OF_PDQ };
/** @type {FieldChecks} */
const OF_VPDQ = {
  interval: (value) => value === "all" || value === "keyframes" || isSeconds(value),
  frames: Array.isArray,
};
/** @type {FieldChecks} */
const OF_TMK = {
  encoding: (value) => value === "base64",
  value: (value) => isText(value, /^[A-Za-z0-9+/]+=*$/),
};

/** @param {unknown} untrusted @param {FieldChecks} checks @returns {{[name: string]: any}} */
function onlyFields(untrusted, checks) {
  const given = resultFields(untrusted);
  const fields = Object.entries(checks).map(([name, isRight]) => {
    checkResult(isRight(given[name]));
    return [name, given[name]];
  });
  return Object.fromEntries(fields);
}

/** @param {any} value @param {number} bits @param {number} [more] numbers, with commas between */
function isHex(value, bits, more = 0) {
  const number = `[0-9a-f]{${Math.ceil(bits / 4)}}`;
  return isText(value, new RegExp(`^${number}(,${number}){0,${more}}$`));
}

/** @param {any} value @param {RegExp} pattern @returns {boolean} */
function isText(value, pattern) {
  return typeof value === "string" && pattern.test(value);
}

/** @param {any} value @returns {boolean} */
function isWhole(value) {
  return Number.isSafeInteger(value) && value >= 0;
}

/** @param {any} value @returns {boolean} */
function isSeconds(value) {
  return typeof value === "number" && value >= 0 && value <= MAX_SECONDS_WRITTEN;
}

/** @param {unknown} value @returns {JsonObject} */
function resultFields(value) {
  checkResult(typeof value === "object" && value !== null);
  return /** @type {JsonObject} */ (value);
}

/** @param {boolean} isRight */
function checkResult(isRight) {
  if (!isRight) throw new TypeError(NOT_RESULTS);
}

/**
 * JSON as Python's json.dumps writes it.
 * @param {unknown} value
 * @param {{indent?: string, sorted?: boolean}} style `indent` is the end of a line and the spaces
 *   after it, without it all is on one line; `sorted` puts the names of objects in order
 * @param {string} [name] of the value, in an object
 * @returns {string}
 */
function pythonJson(value, style, name = "") {
  if (typeof value === "number") return AS_FLOATS.has(name) ? pythonFloat(value) : String(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = style.indent === undefined ? style : { ...style, indent: `${style.indent}  ` };
  const [first, last] = Array.isArray(value) ? "[]" : "{}";
  const pairs = Object.entries(value);
  if (style.sorted && !Array.isArray(value)) pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = pairs.map(([key, each]) => {
    const text = pythonJson(each, inner, key);
    return Array.isArray(value) ? text : `${JSON.stringify(key)}: ${text}`;
  });
  if (parts.length === 0) return first + last;
  if (inner.indent === undefined) return first + parts.join(", ") + last;
  return first + inner.indent + parts.join(`,${inner.indent}`) + style.indent + last;
}

/** @param {number} value of 0 to 1e9 @returns {string} as Python writes a float */
function pythonFloat(value) {
  if (Number.isInteger(value)) return `${value}.0`;
  return value < 1e-4 ? value.toExponential().replace(/-(\d)$/, "-0$1") : String(value);
}
