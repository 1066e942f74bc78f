// Matroska and WebM (RFC 8794, RFC 9559): where the frames of a video lie, and when each is shown.
// Times are those of libavformat, which hashkit in Python reads with.

import { ascii, uint } from "./bytes.js";
import { FACTS } from "./data.js";
import { HashkitError } from "./errors.js";
import { clockRate, IS_KEY, ratesOf, reducedFraction, SampleTable } from "./tracks.js";
import { shownTrack, standardRate, turnOfMatrix } from "./tracks.js";

const MAX_ELEMENTS = 50_000_000;
const MAX_TABLE = 1 << 24; // bytes of an element that is read whole
const MAX_TRACKS = 100; // as in hashkit/media/limits.py
const MAX_LACES = 256;
const WINDOW = 1 << 16;
const PROBED = 41; // samples by which rates are worked out
const PROBED_SECONDS = 5;

const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TRACKS = 0x1654ae6b;
const TAGS = 0x1254c367;
const CLUSTER = 0x1f43b675;
const CLUSTER_TIME = 0xe7;
const SIMPLE_BLOCK = 0xa3;
const BLOCK_GROUP = 0xa0;
const BLOCK = 0xa1;
const BLOCK_DURATION = 0x9b;
const REFERENCE = 0xfb;

/** @typedef {{id: number, start: number, end: number}} Element `start` of its content */

/**
 * @typedef {import("./tracks.js").VideoTrack & {kind: number, number: number, uid: string,
 *   usual: number, delay: number, first: number | null, isProtected: boolean,
 *   prefix: Uint8Array | undefined, isPacked: boolean}} MatroskaTrack `usual`: nanoseconds that a
 *   frame is shown, 0 where it is not said
 */

/** An open file while it is read. */
class Segment {
  constructor() {
    /** @type {Map<number, MatroskaTrack>} by number */
    this.tracks = new Map();
    /** @type {Map<string, number>} the lengths in tags, by track */
    this.lengths = new Map();
    this.scale = 1_000_000; // nanoseconds of a tick
    this.duration = 0; // in ticks
    this.time = 0; // of the cluster
    this.damaged = 0;
  }
}

/**
 * @param {import("./bytes.js").FileBytes} file
 * @returns {Promise<import("./containers.js").Container>}
 */
export async function openMatroska(file) {
  const segment = new Segment();
  const window = new FileWindow(file);
  let place = 0;
  for (let left = MAX_ELEMENTS; left > 0 && place < file.size; left--) {
    const head = window.near(place, 12) ?? (await window.load(place, 12));
    const element = elementAt(head, 0);
    if (!element) {
      segment.damaged += 1;
      break;
    }
    const [start, end] = [place + element.start, place + element.end];
    place = await readTopElement(segment, window, element.id, start, end);
  }
  return matroskaContainer(segment);
}

/** The bytes around where the file is read, so that most reads need not wait. */
class FileWindow {
  /** @param {import("./bytes.js").FileBytes} file */
  constructor(file) {
    this.file = file;
    this.bytes = new Uint8Array(0);
    this.start = 0;
  }

  /** @param {number} place @param {number} count @returns {Uint8Array | null} null if not loaded */
  near(place, count) {
    const at = place - this.start;
    if (at < 0 || at + count > this.bytes.length) return null;
    return this.bytes.subarray(at, at + count);
  }

  /** @param {number} place @param {number} count */
  async load(place, count) {
    this.start = place;
    this.bytes = await this.file.at(place, Math.max(count, WINDOW));
    return this.bytes.subarray(0, count);
  }
}

/**
 * @param {Segment} segment
 * @param {FileWindow} window
 * @param {number} id
 * @param {number} start
 * @param {number} end
 * @returns {Promise<number>} where the next element is
 */
async function readTopElement(segment, window, id, start, end) {
  if (id === SEGMENT || id === CLUSTER) return start;
  if (end === Infinity) return Infinity; // only those two may be of unknown length
  const isWhole = id === INFO || id === TRACKS || id === TAGS || id === CLUSTER_TIME;
  if (isWhole && end - start <= MAX_TABLE) {
    const bytes = window.near(start, end - start) ?? (await window.file.at(start, end - start));
    if (id === INFO) readInfo(segment, bytes);
    if (id === TRACKS) readTracks(segment, bytes);
    if (id === TAGS) readTags(segment, bytes);
    if (id === CLUSTER_TIME) segment.time = uint(bytes, 0, bytes.length);
  } else if (id === SIMPLE_BLOCK) {
    await readBlock(segment, window, start, end, { isKey: null, duration: null });
  } else if (id === BLOCK_GROUP) {
    await readGroup(segment, window, start, end);
  }
  return end;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} place
 * @returns {Element | null} null where there is none
 */
function elementAt(bytes, place) {
  const first = bytes[place];
  if (!first || place + 1 >= bytes.length) return null;
  const idWidth = Math.clz32(first) - 23;
  const size = idWidth > 4 ? null : sizeAt(bytes, place + idWidth);
  if (!size) return null;
  const start = place + idWidth + size.width;
  return { id: uint(bytes, place, idWidth), start, end: start + size.value };
}

/**
 * A number of the length that its first bits say.
 * @param {Uint8Array} bytes
 * @param {number} place
 * @returns {{value: number, width: number} | null} infinite where it stands for an unknown one
 */
function sizeAt(bytes, place) {
  const first = bytes[place];
  if (!first) return null;
  const width = Math.clz32(first) - 23;
  if (place + width > bytes.length) return null;
  const high = (first & ((1 << (8 - width)) - 1)) * 2 ** (8 * width - 8);
  const value = high + uint(bytes, place + 1, width - 1);
  return { value: value === 2 ** (7 * width) - 1 ? Infinity : value, width };
}

/** @param {Uint8Array} bytes @param {number} start @param {number} end @returns {Generator<Element>} */
function* elementsIn(bytes, start = 0, end = bytes.length) {
  for (let place = start; place < end; ) {
    const element = elementAt(bytes, place);
    if (!element || element.end > end) return;
    yield element;
    place = element.end;
  }
}

/** A number or a decimal one. @param {Uint8Array} bytes @param {Element} element */
function floatOf(bytes, { start, end }) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  if (end - start === 4) return view.getFloat32(0);
  return end - start === 8 ? view.getFloat64(0) : 0;
}

/** @param {Segment} segment @param {Uint8Array} bytes */
function readInfo(segment, bytes) {
  for (const each of elementsIn(bytes)) {
    if (each.id === 0x2ad7b1) segment.scale = uint(bytes, each.start, each.end - each.start) || 1e6;
    if (each.id === 0x4489) segment.duration = floatOf(bytes, each);
  }
}

/** @param {Segment} segment @param {Uint8Array} bytes */
function readTracks(segment, bytes) {
  if (segment.tracks.size) return;
  for (const each of elementsIn(bytes)) {
    if (each.id !== 0xae || segment.tracks.size >= MAX_TRACKS) continue;
    const track = readMatroskaTrack(bytes, each);
    segment.tracks.set(track.number, track);
  }
}

/** @param {Uint8Array} bytes @param {Element} entry @returns {MatroskaTrack} */
function readMatroskaTrack(bytes, entry) {
  /** @type {MatroskaTrack} */
  const track = {
    ...{ kind: 0, number: 0, uid: "", usual: 0, delay: 0, first: null, isProtected: false },
    ...{ prefix: undefined, isPacked: false, coding: "", setup: undefined, width: 0, height: 0 },
    ...{ turn: turnOfMatrix(1, 0, 0, 1), matrix: null, isFullRange: null, isDefault: true },
    ...{ length: null, tick: 0, samples: new SampleTable() },
  };
  for (const each of elementsIn(bytes, entry.start, entry.end)) {
    const value = uint(bytes, each.start, each.end - each.start);
    if (each.id === 0xd7) track.number = value;
    if (each.id === 0x83) track.kind = value;
    if (each.id === 0x73c5) track.uid = identifierOf(bytes, each);
    if (each.id === 0x88) track.isDefault = value === 1;
    if (each.id === 0x23e383) track.usual = value;
    if (each.id === 0x56aa) track.delay = value;
    if (each.id === 0x86) track.coding = ascii(bytes, each.start, each.end - each.start).replace(/\0.*/, "");
    if (each.id === 0x63a2) track.setup = bytes.slice(each.start, each.end);
    if (each.id === 0xe0) readPicture(bytes, each, track);
    if (each.id === 0x6d80) readEncodings(bytes, each, track);
  }
  return track;
}

/** @param {Uint8Array} bytes @param {Element} element of any width */
function identifierOf(bytes, { start, end }) {
  return ascii(bytes, start, end - start).replace(/^\0+/, "");
}

/** @param {Uint8Array} bytes @param {Element} video @param {MatroskaTrack} track */
function readPicture(bytes, video, track) {
  for (const each of elementsIn(bytes, video.start, video.end)) {
    const value = uint(bytes, each.start, each.end - each.start);
    if (each.id === 0xb0) track.width = value;
    if (each.id === 0xba) track.height = value;
    if (each.id === 0x7670) track.turn = turnOfProjection(bytes, each);
    if (each.id !== 0x55b0) continue;
    for (const part of elementsIn(bytes, each.start, each.end)) {
      const number = uint(bytes, part.start, part.end - part.start);
      if (part.id === 0x55b1) track.matrix = number === 2 ? null : number;
      if (part.id === 0x55b9 && (number === 1 || number === 2)) track.isFullRange = number === 2;
    }
  }
}

/** @param {Uint8Array} bytes @param {Element} projection */
function turnOfProjection(bytes, projection) {
  let [kind, yaw, pitch, roll] = [0, 0, 0, 0];
  for (const each of elementsIn(bytes, projection.start, projection.end)) {
    if (each.id === 0x7671) kind = uint(bytes, each.start, each.end - each.start);
    if (each.id === 0x7673) yaw = floatOf(bytes, each);
    if (each.id === 0x7674) pitch = floatOf(bytes, each);
    if (each.id === 0x7675) roll = floatOf(bytes, each);
  }
  if (kind || pitch || (yaw && Math.abs(yaw) !== 180)) return turnOfMatrix(1, 0, 0, 1);
  const angle = ((yaw ? -roll : roll) * Math.PI) / 180;
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const side = yaw ? -1 : 1;
  return turnOfMatrix(side * cosine, -sine, side * sine, cosine);
}

/** Frames may be compressed, without a beginning that is always the same, or encrypted. @param {Uint8Array} bytes @param {Element} list @param {MatroskaTrack} track */
function readEncodings(bytes, list, track) {
  for (const encoding of elementsIn(bytes, list.start, list.end)) {
    let [isEncryption, way] = [false, 0];
    for (const each of elementsIn(bytes, encoding.start, encoding.end)) {
      if (each.id === 0x5033) isEncryption = uint(bytes, each.start, each.end - each.start) === 1;
      if (each.id !== 0x5034) continue;
      for (const part of elementsIn(bytes, each.start, each.end)) {
        if (part.id === 0x4254) way = uint(bytes, part.start, part.end - part.start);
        if (part.id === 0x4255) track.prefix = bytes.slice(part.start, part.end);
      }
    }
    track.isProtected ||= isEncryption;
    track.isPacked ||= !isEncryption && way !== 3;
  }
}

/** @param {Segment} segment @param {Uint8Array} bytes */
function readTags(segment, bytes) {
  for (const tag of elementsIn(bytes)) {
    let [uid, length] = ["", ""];
    for (const each of elementsIn(bytes, tag.start, tag.end)) {
      const parts = [...elementsIn(bytes, each.start, each.end)];
      const target = parts.find((part) => part.id === 0x63c5);
      if (each.id === 0x63c0 && target) uid = identifierOf(bytes, target);
      if (each.id !== 0x67c8) continue;
      const texts = [0x45a3, 0x4487].map((id) => {
        const found = parts.find((part) => part.id === id);
        return found ? ascii(bytes, found.start, found.end - found.start) : "";
      });
      if (texts[0] === "DURATION") length = texts[1];
    }
    const found = /^(\d+):(\d+):(\d+(?:\.\d+)?)/.exec(length);
    if (found && uid) segment.lengths.set(uid, found[1] * 3600 + found[2] * 60 + Number(found[3]));
  }
}

/**
 * @param {Segment} segment
 * @param {FileWindow} window
 * @param {number} start
 * @param {number} end
 */
async function readGroup(segment, window, start, end) {
  const found = { isKey: true, duration: /** @type {number | null} */ (null) };
  let [blockStart, blockEnd] = [0, 0];
  for (let place = start, left = MAX_LACES; place < end && left > 0; left--) {
    const head = window.near(place, 20) ?? (await window.load(place, 20));
    const element = elementAt(head, 0);
    if (!element) break;
    if (element.id === BLOCK) [blockStart, blockEnd] = [place + element.start, place + element.end];
    if (element.id === REFERENCE) found.isKey = false;
    if (element.id === BLOCK_DURATION) {
      found.duration = uint(head, element.start, element.end - element.start);
    }
    place += element.end;
  }
  if (blockEnd) await readBlock(segment, window, blockStart, blockEnd, found);
}

/**
 * @param {Segment} segment
 * @param {FileWindow} window
 * @param {number} start
 * @param {number} end
 * @param {{isKey: boolean | null, duration: number | null}} group what the group around it says
 */
async function readBlock(segment, window, start, end, group) {
  const head = window.near(start, 12) ?? (await window.load(start, 12));
  const number = sizeAt(head, 0);
  const track = number && segment.tracks.get(number.value);
  if (!track || number.width + 3 > head.length) return;
  const time = segment.time + ((uint(head, number.width, 2) << 16) >> 16);
  track.first ??= time - Math.round(track.delay / segment.scale);
  if (track.kind !== 1) return;
  const flags = head[number.width + 2];
  const content = start + number.width + 3;
  const sizes = flags & 6 ? await lacedSizes(window, content, end, (flags >> 1) & 3) : null;
  const isKey = group.isKey ?? flags > 127;
  const frames = sizes?.sizes ?? [end - content];
  const usual = track.usual / segment.scale;
  const lasting = group.duration ?? Math.floor(usual * frames.length);
  let place = sizes?.start ?? content;
  frames.forEach((size, i) => {
    const duration = Math.floor((lasting * (i + 1)) / frames.length) - Math.floor((lasting * i) / frames.length);
    const shown = time + Math.floor((lasting * i) / frames.length);
    if (place + size <= window.file.size) track.samples.push(place, size, shown, shown, duration, isKey ? IS_KEY : 0);
    place += size;
  });
}

/**
 * The sizes of frames that share a block (RFC 9559, 10.3).
 * @param {FileWindow} window
 * @param {number} start
 * @param {number} end
 * @param {number} way
 * @returns {Promise<{start: number, sizes: number[]}>} `start` of the first frame
 */
async function lacedSizes(window, start, end, way) {
  const bytes = await window.file.at(start, Math.min(end - start, 1 << 16));
  const count = (bytes[0] ?? 0) + 1;
  /** @type {number[]} */
  const sizes = [];
  let place = 1;
  if (way === 2) return { start: start + 1, sizes: Array(count).fill(Math.floor((end - start - 1) / count)) };
  while (sizes.length < count - 1 && place < bytes.length) {
    let size = 0;
    if (way === 1) {
      while (bytes[place] === 255) size += bytes[place++];
      size += bytes[place++] ?? 0;
    } else {
      const number = sizeAt(bytes, place);
      if (!number) break;
      place += number.width;
      size = sizes.length ? sizes[sizes.length - 1] + number.value - (2 ** (7 * number.width - 1) - 1) : number.value;
    }
    if (size < 0 || size > end - start) break;
    sizes.push(size);
  }
  const last = end - start - place - sizes.reduce((sum, each) => sum + each, 0);
  return { start: start + place, sizes: last < 0 ? [] : [...sizes, last] };
}

/** @param {Segment} segment @returns {import("./containers.js").Container} */
function matroskaContainer(segment) {
  const all = [...segment.tracks.values()];
  if (!all.length) throw new HashkitError("media_corrupt", FACTS.sentences.videoCorrupt);
  const tick = segment.scale / 1e9;
  for (const each of all) {
    each.tick = tick;
    each.length = segment.lengths.get(each.uid) ?? null;
  }
  const track = shownTrack(all.filter((each) => each.kind === 1));
  if (track.isProtected) throw new HashkitError("protected_media");
  if (track.isPacked) throw new HashkitError("unsupported_media", FACTS.sentences.videoUnsupported);
  const begins = all.filter((each) => each.kind < 3).map((each) => (each.first ?? Infinity) * tick);
  const start = Math.round(Math.min(...begins) * 1e6) / 1e6;
  const isBefore = start < 0 && (track.first ?? 0) >= 0;
  const duration = Math.round(segment.duration * segment.scale / 1e3) / 1e6 || null;
  const own = track.length !== null && duration !== null ? Math.min(track.length, duration) : track.length;
  return {
    track,
    ...matroskaRates(track),
    duration,
    ownLength: own,
    start: isBefore || start === Infinity ? 0 : start,
    prefix: track.prefix,
    damaged: segment.damaged,
  };
}

/** @param {MatroskaTrack} track */
function matroskaRates(track) {
  const { samples, tick } = track;
  let average = track.usual ? reducedFraction(1e9, track.usual, 30000) : null;
  if (average && average < 1000 && average > 5) return ratesOf(average, average);
  let [count, lasting] = [Math.min(samples.count, PROBED), 0];
  const times = samples.shown.slice(0, count).sort();
  for (let i = 2; i < count; i++) {
    const known = lasting || (i > 30 ? times[i] - times[2] : 0);
    if (known * tick >= PROBED_SECONDS) count = i + 1;
    lasting += samples.durations[i];
  }
  const clock = clockRate(times.subarray(0, count), tick);
  const step = (times[count - 1] - times[0]) / (count - 1);
  if (!average && lasting) average = standardRate((count - 2) / (lasting * tick));
  if (!average && count > 3 && Math.abs(1 / (clock * tick) - step) <= 1) average = clock;
  return ratesOf(average, clock);
}
