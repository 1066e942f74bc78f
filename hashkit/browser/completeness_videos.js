// Whether a video is cut short, or parts of it are lost, by the lengths that its parts claim
// (hashkit/media/truncation.py and hashkit/media/completeness).

import { ascii, endOfZeros, findZeros, uint } from "./bytes.js";
import { formatNamed } from "./recognition.js";

/**
 * What is read: a FileBytes, or the same of bytes in memory.
 * @typedef {{size: number, at(place: number, count: number): Promise<Uint8Array>}} Readable
 */
/**
 * A part: whether it holds pictures, and where it ends.
 * @typedef {AsyncGenerator<[boolean, number]>} Walk
 */

const MAX_PARTS = 1_000_000;
const MAX_MOVIE = 1 << 24; // bytes that are compared

/** @type {[boolean, number]} something is missing here: as if a part ended behind every file */
const LOST = [true, Infinity];
/** @type {[boolean, number]} another recording begins here */
const ANOTHER = [true, 0];
const NAMELESS = "\0\0\0\0";

/**
 * Of the containers that are played here. Python has more of them.
 * @type {Record<string, (file: Readable) => Walk>}
 */
const WALKS = {
  boxes: walkBoxes,
  elements: walkElements,
};

/**
 * `cutShort`: a part that holds pictures would end behind the file, or zeros stand where one should
 * begin. `moreBehind`: a second recording follows, which players do not show.
 * @typedef {{cutShort: boolean, moreBehind: boolean}} Parts
 */

/**
 * What the parts of a file say: nothing in formats whose parts do not say their length.
 * @param {Readable} file
 * @param {string} format its name
 * @returns {Promise<Parts>}
 */
export async function lookAtParts(file, format) {
  const walk = WALKS[formatNamed(format).parts ?? ""];
  if (walk === undefined) {
    return { cutShort: false, moreBehind: false };
  }
  let count = 0;
  for await (const part of walk(file)) {
    if (part === ANOTHER) {
      return { cutShort: false, moreBehind: true };
    }
    if (part[0] && part[1] > file.size) {
      return { cutShort: true, moreBehind: false };
    }
    count += 1;
    if (count === MAX_PARTS) {
      break;
    }
  }
  return { cutShort: false, moreBehind: false };
}

/**
 * Whether a part that holds pictures is missing, wholly or in part.
 * @param {Readable} file
 * @param {string} format its name
 */
export async function isCutShort(file, format) {
  return (await lookAtParts(file, format)).cutShort;
}

/**
 * @param {Uint8Array} bytes
 * @returns {Readable}
 */
export function inMemory(bytes) {
  const at = (/** @type {number} */ place, /** @type {number} */ count) =>
    Promise.resolve(bytes.subarray(place, place + count));
  return { size: bytes.length, at };
}

/** @param {Uint8Array} bytes */
function isZeros(bytes) {
  return endOfZeros(bytes, 0, bytes.length) === bytes.length;
}

/**
 * Whether the bytes before `place` are zeros. If so, zeros from there on are what is left of a part
 * that was never written; if not, they are padding behind the end.
 * @param {Readable} file
 * @param {number} place
 */
async function followsZeros(file, place) {
  const before = Math.max(0, place - 16);
  return isZeros(await file.at(before, place - before));
}

/**
 * MP4 (ISO/IEC 14496-12, 4.2): boxes one after the other, each with its size and name.
 * @param {Readable} file
 * @returns {Walk}
 */
async function* walkBoxes(file) {
  const recordings = new Recordings(file);
  for (let place = 0; ; ) {
    const header = await file.at(place, 16);
    if (header.length < 8) {
      return;
    }
    const name = ascii(header, 4, 4);
    const short = uint(header, 0, 4);
    const length = short === 1 ? uint(header, 8, 8) : short;
    if (length < 8) { // 0: to the end of the file
      if (name === NAMELESS && (await followsZeros(file, place))) {
        yield LOST;
      }
      return;
    }
    if (await recordings.beginsAnother(name, place, length)) {
      yield ANOTHER;
    }
    place += length;
    yield [name === "mdat" || name === "moov" || name === "moof", place];
  }
}

/**
 * Tells whether another recording begins among the boxes of an MP4: one with a header and a movie
 * box of its own. Fragments that were joined repeat both as they were, and are shown as one.
 */
class Recordings {
  /** @param {Readable} file */
  constructor(file) {
    this.file = file;
    /** @type {Set<string>} */
    this.seen = new Set();
    this.movie = [0, 0];
    this.hasHeader = false;
  }

  /** @param {string} name of the next box @param {number} place @param {number} length */
  async beginsAnother(name, place, length) {
    if (name === "ftyp" && this.seen.has("moov") && this.seen.has("mdat")) {
      this.hasHeader = true;
    } else if (this.hasHeader && name === "moov") {
      this.hasHeader = !this.seen.has("moof") || !(await this.isSame(place, length));
    } else if (name === "moov") {
      this.movie = [place, length];
    }
    this.seen.add(name);
    return this.hasHeader && (name === "moov" || name === "mdat");
  }

  /** Whether it is the first movie box again. @param {number} place @param {number} length */
  async isSame(place, length) {
    const most = Math.min(length, MAX_MOVIE);
    const [first, now] = [await this.file.at(this.movie[0], most), await this.file.at(place, most)];
    return first.length === now.length && first.every((byte, i) => byte === now[i]);
  }
}

const SEGMENT = "\x18\x53\x80\x67";
const CLUSTER = "\x1f\x43\xb6\x75";
const BLOCKS = ["\xa3", "\xa0"];
const KNOWN_ELEMENTS = new Set([
  SEGMENT, CLUSTER, ...BLOCKS,
  // EBML header, seek head, info, tracks, cues, attachments, chapters, tags, void, CRC-32
  "\x1a\x45\xdf\xa3", "\x11\x4d\x9b\x74", "\x15\x49\xa9\x66", "\x16\x54\xae\x6b",
  "\x1c\x53\xbb\x6b", "\x19\x41\xa4\x69", "\x10\x43\xa7\x70", "\x12\x54\xc3\x67", "\xec", "\xbf",
  // Timestamp, position, size of the cluster before, silent tracks, encrypted block
  "\xe7", "\xa7", "\xab", "\x58\x54", "\xaf",
]);

/**
 * Matroska (RFC 8794, RFC 9559): a header, then a segment, in which clusters hold blocks of
 * pictures and sound.
 * @param {Readable} file
 * @returns {Walk}
 */
async function* walkElements(file) {
  let [place, segmentEnd] = [0, 0];
  for (;;) {
    const start = await file.at(place, 12);
    if (start.length <= 4) {
      return;
    }
    const name = ascii(start, 0, Math.clz32(start[0]) - 23);
    const { width, length } = elementLength(start, name.length);
    if (!KNOWN_ELEMENTS.has(name) || width === 0) {
      if (!start[0] && (place < segmentEnd || (await followsZeros(file, place)))) {
        yield LOST;
      }
      yield [true, segmentEnd]; // something is missing before, if it is too short
      return;
    }
    place += name.length + width;
    if (name === SEGMENT || name === CLUSTER) {
      const end = length === null ? 0 : place + length;
      segmentEnd = name === SEGMENT ? end : segmentEnd;
      yield name === SEGMENT ? [false, 0] : [true, end];
    } else if (length === null) {
      return;
    } else {
      place += length;
      yield [BLOCKS.includes(name), place];
    }
  }
}

/**
 * @param {Uint8Array} start of an element
 * @param {number} at where its length is
 * @returns {{width: number, length: number | null}} null: not known, as it was written while it was
 *   recorded; width 0: it is none
 */
function elementLength(start, at) {
  const first = start[at];
  if (!first) {
    return { width: 0, length: 0 };
  }
  const width = Math.clz32(first) - 23;
  const marker = 0x80 >> (width - 1);
  const rest = start.subarray(at + 1, at + width);
  const length = (first - marker) * 256 ** rest.length + uint(rest, 0, rest.length);
  const isUnknown = first === 2 * marker - 1 && rest.every((each) => each === 255);
  return { width, length: isUnknown && rest.length === width - 1 ? null : length };
}

// Zeros in a packet of a video stream where its codec writes none.

const NEVER_ZEROS = ["h264", "hevc", "av1"];
const ZEROS_IF_PLAIN = ["vp8", "vp9"];

/** A run of so many zeros does not occur in codes that forbid it, nor, as measured, in AV1. */
export const LOST_IN_CODED = 64;

/**
 * Whether a part of this packet, of a frame of so many pixels, was never written. Zeros before a
 * start code and at the end fill up, as encoders for a constant rate write them; but not where
 * there is nothing else.
 * @param {Uint8Array} packet
 * @param {string} codec FFmpeg's name of it
 * @param {number} pixels
 */
export function hasGap(packet, codec, pixels) {
  const isPlain = ZEROS_IF_PLAIN.includes(codec);
  if (!isPlain && !NEVER_ZEROS.includes(codec)) {
    return false;
  }
  const length = LOST_IN_CODED + (isPlain ? Math.floor(pixels / 256) : 0);
  let begin = findZeros(packet, 0, packet.length, length);
  while (begin !== -1) {
    const place = endOfZeros(packet, begin + length, packet.length);
    if (place === packet.length) {
      return begin === 0;
    }
    if (packet[place] !== 1) {
      return true;
    }
    begin = findZeros(packet, place, packet.length, length);
  }
  return false;
}
