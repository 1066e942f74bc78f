// The errors that the engine raises and the notices that it gives, with the texts of hashkit's
// tables (hashkit/errors.py, hashkit/notices.py).

import { FACTS } from "./data.js";

/** @typedef {{code: string, text: string, advice: string}} ErrorFields */
/** @typedef {{code: string, text: string}} Notice */

/**
 * Why a file could not be hashed. `code` is stable, `message` says what happened and `advice` what
 * to do next; none of them holds a name of a file.
 */
export class HashkitError extends Error {
  /**
   * @param {string} code one of `FACTS.errors`
   * @param {string} [text] what happened, where that is more than the table says
   * @param {string} [advice] what to do, likewise
   */
  constructor(code, text, advice) {
    const known = FACTS.errors[code];
    if (known === undefined) {
      throw new TypeError(`There is no error with the code ${code}.`);
    }
    super(text ?? known.text);
    this.name = "HashkitError";
    this.code = code;
    this.advice = advice ?? known.advice;
  }

  /** @returns {ErrorFields} what `hashkit hash --json` prints of it */
  toJSON() {
    return { code: this.code, text: this.message, advice: this.advice };
  }
}

/**
 * The error for a format that cannot be decoded.
 * @param {string} name what it is, without an article: `shown` of a format that is not `opened`,
 *   or one of `FACTS.rareKinds`
 */
export function unsupported(name) {
  const article = "AEIOU".includes(name[0]) ? "an" : "a";
  const text = filledIn(FACTS.sentences.notOpened, { name: `${article} ${name}` });
  return new HashkitError("unsupported_media", text);
}

/**
 * Raise TooManyPixels for a picture over the limit, MediaCorrupt for one without any.
 * @param {number} width
 * @param {number} height
 * @param {number} limit in pixels
 */
export function checkPixels(width, height, limit) {
  if (width < 1 || height < 1) {
    throw new HashkitError("media_corrupt");
  }
  if (width * height > limit) {
    const values = { pixels: withCommas(width * height), limit: withCommas(limit) };
    throw new HashkitError("too_many_pixels", filledIn(FACTS.sentences.pixels, values));
  }
}

/**
 * The text with these values in the place of their names in braces.
 * @param {string} text
 * @param {Record<string, string>} values
 */
export function filledIn(text, values) {
  return text.replace(/\{(\w+)\}/g, (name, key) => values[key] ?? name);
}

/**
 * @param {string} code one of `FACTS.notices`
 * @param {{start?: number, end?: number, whole?: number | null}} [values] `start` and `end`, in
 *   seconds: between them a video could be read; `whole`: how long it is, if that is known
 * @returns {Notice}
 */
export function noticeOf(code, values = {}) {
  const { start = 0, end, whole } = values;
  const { text } = FACTS.notices[code];
  if (end === undefined) {
    return { code, text };
  }
  const rest = whole != null && whole > end ? ` of ${clockText(whole)}` : "";
  const span = `from ${clockText(start)} to ${clockText(end)}${rest}`;
  return { code, text: filledIn(text, { span }) };
}

/**
 * A number that is not negative, with three decimals, rounded as Python does. `toFixed` rounds up
 * what lies exactly between two, Python to the even one; only sixteenths lie there.
 * @param {number} value
 */
export function thousandths(value) {
  if ((value * 16) % 2 !== 1) {
    return value.toFixed(3);
  }
  const below = Math.floor(value * 1000);
  return ((below + (below % 2)) / 1000).toFixed(3);
}

/**
 * A time in a video: `m:ss.s`, or `h:mm:ss.s` from an hour on.
 * @param {number} seconds
 */
function clockText(seconds) {
  const tenths = Math.trunc(seconds * 10);
  const rest = ((tenths % 600) / 10).toFixed(1);
  const minutes = Math.floor(tenths / 600);
  if (minutes < 60) {
    return `${minutes}:${rest.padStart(4, "0")}`;
  }
  const [hours, left] = [Math.floor(minutes / 60), minutes % 60];
  return `${hours}:${String(left).padStart(2, "0")}:${rest.padStart(4, "0")}`;
}

/**
 * With commas between thousands.
 * @param {number} whole
 */
function withCommas(whole) {
  return String(whole).replace(/\B(?=(\d{3})+$)/g, ",");
}
