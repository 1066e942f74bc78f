// One file, start to end: hashkit/pipeline/hashing.py. Digests of its bytes, then every hash that
// was asked for. A file that cannot be opened gives its digests and an error.

import { hashAnimation, ofFirstFrame } from "./animations.js";
import { FileBytes } from "./bytes.js";
import { FACTS } from "./data.js";
import { digestsOf } from "./digests.js";
import { HashkitError, noticeOf } from "./errors.js";
import { openPicture } from "./images.js";
import { ofFamily } from "./options.js";
import { pdqOf } from "./pdq.js";
import { identify, isMotionJpeg } from "./recognition.js";
import { hashEdits, hashReadings } from "./variants.js";
import { bestQuality, hashFrames } from "./videos.js";

/** @typedef {import("./errors.js").ErrorFields} ErrorFields */
/** @typedef {import("./errors.js").Notice} Notice */
/** @typedef {import("./picture.js").Picture} Picture */
/** @typedef {import("./options.js").HashOptions} HashOptions */
/** @typedef {import("./options.js").Watch} Watch */
/** @typedef {import("./variants.js").VpdqHash} VpdqHash */

/**
 * By the names of the algorithms, in Python's order.
 * @typedef {object} Hashes
 * @property {string} [md5]
 * @property {string} [sha1]
 * @property {string} [sha256]
 * @property {string} [sha512]
 * @property {{value: string, quality: number}} [pdq]
 * @property {VpdqHash} [vpdq]
 */

/** @typedef {{name: string, pdq?: {value: string, quality: number}, vpdq?: VpdqHash}} Variant */

/**
 * @typedef {object} Outcome
 * @property {"image" | "video"} [kind]
 * @property {Hashes} [hashes]
 * @property {Variant[]} [variants]
 * @property {Notice[]} [notices]
 * @property {ErrorFields} [error]
 */

const DIGESTS_PART = 0.25; // of the progress; frames or pixels are the rest
const OF_DAMAGE = ["truncated", "damaged", "video_truncated"];
const OPENED_NO_FURTHER = ["unsupported_media", "is_an_archive", "file_too_big"];

/**
 * @param {Blob} blob
 * @param {HashOptions} options
 * @param {Watch} [watch]
 * @returns {Promise<Outcome>} what `hashkit hash --json` prints, without the path; rejects only
 *   with the reason of the signal
 */
export async function hashBlob(blob, options, watch = {}) {
  try {
    return await hashMedia(blob, options, watch);
  } catch (error) {
    watch.signal?.throwIfAborted();
    return { error: hashkitErrorOf(error).toJSON() };
  }
}

/**
 * The digests alone, for a file whose decoding has failed with this error: nothing but its first
 * bytes is looked into.
 * @param {Blob} blob
 * @param {HashOptions} options
 * @param {string} code of the error
 * @param {Watch} [watch]
 * @returns {Promise<Outcome>}
 */
export async function hashBytesOnly(blob, options, code, watch = {}) {
  try {
    const head = await new FileBytes(blob).at(0, FACTS.limits.headBytes);
    const { kind } = identify(head);
    return failedOutcome(new HashkitError(code), kind, await fileDigests(blob, options, watch));
  } catch {
    watch.signal?.throwIfAborted();
    return { error: new HashkitError(code).toJSON() };
  }
}

/**
 * @param {Blob} blob
 * @param {HashOptions} options
 * @param {Watch} watch
 * @returns {Promise<Outcome>}
 */
async function hashMedia(blob, options, watch) {
  if (blob.size === 0) {
    throw new HashkitError("file_empty");
  }
  const file = new FileBytes(blob);
  const head = await file.at(0, FACTS.limits.headBytes);
  let media;
  try {
    media = identify(head);
    if (media.kind === "image" && blob.size > FACTS.limits.maxImageBytes) {
      throw new HashkitError("file_too_big");
    }
  } catch (error) {
    if (!(error instanceof HashkitError && OPENED_NO_FURTHER.includes(error.code))) {
      throw error;
    }
    return failedOutcome(error, "image", await fileDigests(blob, options, watch));
  }
  if (media.kind === "video") {
    return hashMoving(file, media.format, options, watch);
  }
  let bytes;
  try {
    bytes = new Uint8Array(await blob.arrayBuffer());
  } catch {
    // If it can be read piece by piece, there was no memory for all of it.
    const exact = await fileDigests(blob, options, watch);
    return failedOutcome(new HashkitError("too_much_memory"), "image", exact);
  }
  if (media.format === "jpeg" && isMotionJpeg(bytes)) {
    return hashMoving(file, "mjpeg", options, watch);
  }
  return hashStill(bytes, media.format, options, watch);
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes the whole file: its digests and pixels are of one version
 * @param {string} format
 * @param {HashOptions} options
 * @param {Watch} watch
 * @returns {Promise<Outcome>}
 */
async function hashStill(bytes, format, options, watch) {
  const blob = new Blob([bytes]);
  const exact = await fileDigests(blob, options, watch);
  if (Object.keys(exact).length === options.algorithms.length) {
    return { kind: "image", hashes: exact, notices: [] };
  }
  let picture;
  try {
    picture = await openPicture(blob, bytes, format, { maxPixels: options.maxPixels });
    watch.signal?.throwIfAborted();
    const { pdq, variants } = await hashPixels(picture, options);
    let notices = [...picture.notices, ...await warningsAbout(picture, pdq, variants)];
    const isAnimated = options.algorithms.includes("vpdq")
      && notices.some((each) => each.code === "animated");
    const moving = isAnimated
      ? await hashAnimation(bytes, format, options, framesOf(watch)) : null;
    if (moving !== null) {
      variants.push(...moving.variants);
      notices = noticesOfAnimation(notices, moving);
    } else if (isAnimated) {
      notices = notices.map(ofFirstFrame);
    }
    const hashes = { ...exact, ...(pdq && { pdq }), ...(moving && { vpdq: moving.frames }) };
    if (Object.keys(hashes).length === 0) {
      notices.push(noticeOf("no_hash"));
    }
    watch.onProgress?.(1);
    return hashedOutcome("image", hashes, variants, notices);
  } catch (error) {
    watch.signal?.throwIfAborted();
    return failedOutcome(hashkitErrorOf(error), "image", exact);
  } finally {
    picture?.close();
  }
}

/**
 * What is true of the first frame is not said of all, and what is damaged has no rate.
 * @param {Notice[]} notices of the first frame
 * @param {NonNullable<Awaited<ReturnType<typeof hashAnimation>>>} moving
 */
function noticesOfAnimation(notices, moving) {
  const best = bestQuality(moving.frames, moving.variants);
  const isGood = Number.isFinite(best) && best >= Number(FACTS.algorithms.pdq.minQuality);
  const untrue = isGood ? ["low_quality", "flat"] : [];
  const all = [...notices.filter((each) => !untrue.includes(each.code)), ...moving.notices];
  const isWhole = !all.some((each) => OF_DAMAGE.includes(each.code));
  return all.filter((each) => isWhole || each.code !== "variable_rate");
}

/**
 * @param {Picture} picture
 * @param {HashOptions} options
 */
async function hashPixels(picture, options) {
  /** @type {Variant[]} */
  const variants = [];
  if (!options.algorithms.includes("pdq")) {
    return { variants };
  }
  const { value, quality } = await pdqOf(picture);
  const original = { value, quality };
  const found = options.variants === "none" ? []
    : await hashReadings(picture.readings, original);
  if (options.variants === "orientations") {
    found.push(...await hashEdits(picture, original));
  }
  variants.push(...found.map(({ name, ...pdq }) => ({ name, pdq })));
  return { pdq: original, variants };
}

/**
 * Notices about hashes that may not find copies of this picture.
 * @param {Picture} picture
 * @param {{quality: number} | undefined} pdq of the original
 * @param {Variant[]} variants
 */
async function warningsAbout(picture, pdq, variants) {
  const { limits: { smallSide, flatRange }, algorithms: { pdq: { minQuality } } } = FACTS;
  const readings = variants.map((each) => each.name)
    .filter((name) => FACTS.stillReadings.includes(name));
  const codes = [];
  if (Math.min(picture.width, picture.height) < smallSide) {
    codes.push("small");
  }
  if (pdq !== undefined && pdq.quality < Number(minQuality) && readings.length === 0) {
    codes.push("low_quality");
  }
  if (readings.some((name) => name.startsWith("alpha-dropped"))) {
    codes.push("transparent");
  }
  // Any gradient at all would show in the quality.
  if (!pdq?.quality && await largestRange(picture) <= flatRange) {
    codes.push("flat");
  }
  return codes.map((code) => noticeOf(code));
}

/**
 * The largest difference within a channel.
 * @param {Picture} picture
 */
async function largestRange(picture) {
  const least = [255, 255, 255];
  const most = [0, 0, 0];
  for await (const { data } of picture.bands()) {
    for (let place = 0; place < data.length; place += 4) {
      for (let channel = 0; channel < 3; channel += 1) {
        const value = data[place + channel];
        if (value < least[channel]) least[channel] = value;
        if (value > most[channel]) most[channel] = value;
      }
    }
  }
  return Math.max(...most.map((value, channel) => value - least[channel]));
}

/**
 * @param {FileBytes} file
 * @param {string} format
 * @param {HashOptions} options
 * @param {Watch} watch
 * @returns {Promise<Outcome>}
 */
async function hashMoving(file, format, options, watch) {
  const exact = await fileDigests(file.blob, options, watch);
  if (!options.algorithms.includes("vpdq")) {
    const notices = Object.keys(exact).length === 0 ? [noticeOf("no_hash")] : [];
    return { kind: "video", hashes: exact, notices };
  }
  try {
    const found = await hashFrames(file, format, {
      sample: options.sample,
      variants: options.variants,
      ...framesOf(watch),
    });
    watch.onProgress?.(1);
    return hashedOutcome("video", { ...exact, vpdq: found.frames }, found.variants, found.notices);
  } catch (error) {
    watch.signal?.throwIfAborted();
    return failedOutcome(hashkitErrorOf(error), "video", exact);
  }
}

/**
 * For the work after the digests.
 * @param {Watch} watch
 * @returns {Watch}
 */
function framesOf({ onProgress, signal }) {
  return {
    signal,
    onProgress: (part) => onProgress?.(DIGESTS_PART + part * (1 - DIGESTS_PART)),
  };
}

/**
 * @param {Blob} blob
 * @param {HashOptions} options
 * @param {Watch} watch
 * @returns {Promise<Hashes>}
 */
async function fileDigests(blob, options, watch) {
  if (blob.size > FACTS.limits.maxBytes) {
    throw new HashkitError("file_too_big");
  }
  const names = ofFamily(options.algorithms, "cryptographic");
  return digestsOf(blob, names, {
    signal: watch.signal,
    onProgress: (done, size) => watch.onProgress?.((DIGESTS_PART * done) / size),
  });
}

/**
 * @param {"image" | "video"} kind
 * @param {Hashes} hashes
 * @param {Variant[]} variants
 * @param {Notice[]} notices
 * @returns {Outcome}
 */
function hashedOutcome(kind, hashes, variants, notices) {
  return { kind, hashes, ...(variants.length > 0 && { variants }), notices };
}

/**
 * The outcome of a file of which nothing but its bytes could be hashed.
 * @param {HashkitError} error
 * @param {"image" | "video"} kind
 * @param {Hashes} exact
 * @returns {Outcome}
 */
function failedOutcome(error, kind, exact) {
  if (Object.keys(exact).length === 0) {
    return { kind, error: error.toJSON() };
  }
  return { kind, hashes: exact, notices: [noticeOf("exact_only")], error: error.toJSON() };
}

/**
 * Ours, for whatever the browser or a parser raised.
 * @param {unknown} error
 * @returns {HashkitError}
 */
function hashkitErrorOf(error) {
  if (error instanceof HashkitError) {
    return error;
  }
  // No room for so many bytes; Firefox has an error of its own, or throws a text.
  const isError = error instanceof Error;
  if (error instanceof RangeError || !isError || error.name === "InternalError") {
    return new HashkitError("too_much_memory");
  }
  // The file could be read a moment ago: this is how browsers refuse one that has changed.
  if (error instanceof DOMException && error.name === "NotReadableError") {
    return new HashkitError("file_changed");
  }
  return new HashkitError(error instanceof DOMException ? "file_unreadable" : "decoder_crashed");
}
