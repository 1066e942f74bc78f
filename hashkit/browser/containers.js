// Opens the file of a video, and says how its frames are coded.

import { codingOf } from "./codecs.js";
import { FACTS } from "./data.js";
import { HashkitError, notPlayable } from "./errors.js";
import { openMatroska } from "./matroska.js";
import { openMp4 } from "./mp4.js";
import { isKeyframe } from "./tracks.js";

/**
 * @typedef {object} Container
 * @property {import("./tracks.js").VideoTrack} track the one to hash
 * @property {number} rate frames a second, on average
 * @property {number | null} constantRate frames a second, null where it varies
 * @property {number | null} duration of the file, in seconds
 * @property {number | null} ownLength of the pictures in it, where that is said
 * @property {number} othersEnd when the last of the other tracks ends, in seconds
 * @property {number} start the stamp at which the file begins, in seconds
 * @property {Uint8Array | undefined} prefix what each frame begins with and the file leaves out
 * @property {number} damaged how often something in it made no sense
 * @property {boolean} several whether there are other tracks of video beside this one
 */

const OPENERS = { mp4: openMp4, mov: openMp4, matroska: openMatroska };

/** @type {[RegExp, string][]} */
const FAMILIES = [
  [/^(avc[13]|V_MPEG4\/ISO\/AVC)$/, "h264"],
  [/^(hvc1|hev1|dvh1|dvhe|V_MPEGH\/ISO\/HEVC)$/, "hevc"],
  [/^(vp08|V_VP8)$/, "vp8"],
  [/^(vp09|V_VP9)$/, "vp9"],
  [/^(av01|V_AV1)$/, "av1"],
];
const MAX_FIRST = 1 << 16; // bytes of a frame that its header lies in

/**
 * Read where the frames of a video lie. Raises NoVideo, ProtectedMedia, UnsupportedMedia or
 * MediaCorrupt.
 * @param {import("./bytes.js").FileBytes} file
 * @param {string} format of `identify`
 * @param {AbortSignal} [signal]
 * @returns {Promise<Container & {coding: import("./codecs.js").Coding}>}
 */
export async function openContainer(file, format, signal) {
  const open = OPENERS[/** @type {keyof typeof OPENERS} */ (format)];
  const container = open && (await open(file, signal));
  const family = FAMILIES.find(([names]) => names.test(container?.track.coding ?? ""))?.[1];
  if (!family) throw notPlayable();
  const { setup, samples, matrix, isFullRange } = container.track;
  if (!samples.count) throw new HashkitError("media_corrupt", FACTS.sentences.videoCorrupt);
  const key = samples.flags.findIndex(isKeyframe);
  const first = await frameBytes(file, container, Math.max(0, key), MAX_FIRST);
  const said = { matrix, isFullRange: isFullRange === true };
  const found = codingOf(family, setup, first, said);
  if (!found) throw notPlayable();
  return { ...container, coding: found };
}

/**
 * @param {import("./bytes.js").FileBytes} file
 * @param {Container} container
 * @param {number} i which sample
 * @param {number} [most] bytes
 * @returns {Promise<Uint8Array>} fewer than the sample has where the file ends
 */
export async function frameBytes(file, { track, prefix }, i, most = Infinity) {
  const { places, sizes } = track.samples;
  const bytes = await file.at(places[i], Math.min(sizes[i], most));
  if (!prefix) return bytes;
  const whole = new Uint8Array(prefix.length + bytes.length);
  whole.set(prefix);
  whole.set(bytes, prefix.length);
  return whole;
}
