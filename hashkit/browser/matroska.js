// Matroska and WebM (RFC 8794, RFC 9559): where the frames of a video lie, and when each is shown.
// Times are those of libavformat, which hashkit in Python reads with.

import { uint } from "./bytes.js";
import { FACTS } from "./data.js";
import { BufferedFile, elementAt, numberOf, sizeAt } from "./ebml.js";
import { HashkitError } from "./errors.js";
import { readInfo, readTags, readTracks, Segment } from "./matroska_header.js";
import { clockRate, IS_KEY, ratesOf, reducedFraction } from "./tracks.js";
import { shownTrack, standardRate } from "./tracks.js";

/** @typedef {import("./matroska_header.js").MatroskaTrack} MatroskaTrack */

const MAX_ELEMENTS = 50_000_000;
const MAX_TABLE = 1 << 22; // bytes of an element that is read whole
const MAX_LACES = 256;
const PROBED_BLOCKS = 41; // samples by which rates are worked out
const PROBED_IN_SECONDS = 5;

const SEGMENT_ID = 0x18538067;
const INFO_ID = 0x1549a966;
const TRACKS_ID = 0x1654ae6b;
const TAGS_ID = 0x1254c367;
const CLUSTER_ID = 0x1f43b675;
const CLUSTER_TIME_ID = 0xe7;
const SIMPLE_BLOCK_ID = 0xa3;
const BLOCK_GROUP_ID = 0xa0;
const BLOCK_ID = 0xa1;
const BLOCK_DURATION_ID = 0x9b;
const REFERENCE_ID = 0xfb;

/**
 * @param {import("./bytes.js").FileBytes} file
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("./containers.js").Container>}
 */
export async function openMatroska(file, signal) {
  const segment = new Segment();
  const source = new BufferedFile(file);
  let place = 0;
  for (let left = MAX_ELEMENTS; left > 0 && place < file.size; left--) {
    signal?.throwIfAborted();
    const head = source.near(place, 12) ?? (await source.load(place, 12));
    const element = elementAt(head, 0);
    if (!element) {
      segment.damaged += 1;
      break;
    }
    const [start, end] = [place + element.start, place + element.end];
    place = await readTopElement(segment, source, element.id, start, end);
  }
  return matroskaContainer(segment);
}

/**
 * @param {Segment} segment
 * @param {BufferedFile} source
 * @param {number} id
 * @param {number} start
 * @param {number} end
 * @returns {Promise<number>} where the next element is
 */
async function readTopElement(segment, source, id, start, end) {
  if (id === SEGMENT_ID || id === CLUSTER_ID) return start;
  if (end === Infinity) return Infinity; // only those two may be of unknown length
  const isWhole = id === INFO_ID || id === TRACKS_ID || id === TAGS_ID || id === CLUSTER_TIME_ID;
  if (isWhole && end - start <= MAX_TABLE) {
    const bytes = source.near(start, end - start) ?? (await source.file.at(start, end - start));
    if (id === INFO_ID) readInfo(segment, bytes);
    if (id === TRACKS_ID) readTracks(segment, bytes);
    if (id === TAGS_ID) readTags(segment, bytes);
    if (id === CLUSTER_TIME_ID) segment.time = numberOf(bytes, { id, start: 0, end: bytes.length });
  } else if (id === SIMPLE_BLOCK_ID) {
    await readBlock(segment, source, start, end, { isKey: null, duration: null });
  } else if (id === BLOCK_GROUP_ID) {
    await readGroup(segment, source, start, end);
  }
  return end;
}

/**
 * @param {Segment} segment
 * @param {BufferedFile} source
 * @param {number} start
 * @param {number} end
 */
async function readGroup(segment, source, start, end) {
  const found = { isKey: true, duration: /** @type {number | null} */ (null) };
  let [blockStart, blockEnd] = [0, 0];
  for (let place = start, left = MAX_LACES; place < end && left > 0; left--) {
    const head = source.near(place, 20) ?? (await source.load(place, 20));
    const element = elementAt(head, 0);
    if (!element) break;
    if (element.id === BLOCK_ID) {
      [blockStart, blockEnd] = [place + element.start, place + element.end];
    }
    if (element.id === REFERENCE_ID) found.isKey = false;
    if (element.id === BLOCK_DURATION_ID) {
      found.duration = numberOf(head, element);
    }
    place += element.end;
  }
  if (blockEnd) await readBlock(segment, source, blockStart, blockEnd, found);
}

/**
 * @param {Segment} segment
 * @param {BufferedFile} source
 * @param {number} start
 * @param {number} end
 * @param {{isKey: boolean | null, duration: number | null}} group what the group around it says
 */
async function readBlock(segment, source, start, end, group) {
  const head = source.near(start, 12) ?? (await source.load(start, 12));
  const number = sizeAt(head, 0);
  const track = number && segment.tracks.get(number.value);
  if (!track || number.width + 3 > head.length) return;
  const time = segment.time + ((uint(head, number.width, 2) << 16) >> 16);
  track.first ??= time - Math.round(track.delay / segment.scale);
  track.end = time + (group.duration ?? track.usual / segment.scale);
  if (track.kind !== 1) return;
  const flags = head[number.width + 2];
  const content = start + number.width + 3;
  const sizes = flags & 6 ? await lacedSizes(source, content, end, (flags >> 1) & 3) : null;
  const isKey = group.isKey ?? flags > 127;
  const frames = sizes?.sizes ?? [end - content];
  const usual = track.usual / segment.scale;
  const lasting = group.duration ?? Math.floor(usual * frames.length);
  let place = sizes?.start ?? content;
  const until = (/** @type {number} */ i) => Math.floor((lasting * i) / frames.length);
  frames.forEach((size, i) => {
    const shown = time + until(i);
    if (place + size <= source.file.size) {
      const flags = isKey && i === 0 ? IS_KEY : 0; // of frames that share a block, the first
      track.samples.push(place, size, shown, shown, until(i + 1) - until(i), flags);
    }
    place += size;
  });
}

/**
 * The sizes of frames that share a block (RFC 9559, 10.3).
 * @param {BufferedFile} source
 * @param {number} start
 * @param {number} end
 * @param {number} way
 * @returns {Promise<{start: number, sizes: number[]}>} `start` of the first frame
 */
async function lacedSizes(source, start, end, way) {
  const bytes = await source.file.at(start, Math.min(end - start, 1 << 16));
  const count = (bytes[0] ?? 0) + 1;
  /** @type {number[]} */
  const sizes = [];
  let place = 1;
  if (way === 2) {
    const size = Math.floor((end - start - 1) / count);
    return { start: start + 1, sizes: Array(count).fill(size) };
  }
  while (sizes.length < count - 1 && place < bytes.length) {
    let size = 0;
    if (way === 1) {
      while (bytes[place] === 255) size += bytes[place++];
      size += bytes[place++] ?? 0;
    } else {
      const number = sizeAt(bytes, place);
      if (!number) break;
      place += number.width;
      const middle = 2 ** (7 * number.width - 1) - 1; // stands for the size of the one before
      size = number.value + (sizes.length ? sizes[sizes.length - 1] - middle : 0);
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
  const own = track.length;
  return {
    track,
    ...matroskaRates(track),
    duration,
    ownLength: own !== null && duration !== null ? Math.min(own, duration) : own,
    othersEnd: Math.max(0, ...all.map((each) => (each === track ? 0 : each.end * tick - start))),
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
  let [count, lasting] = [Math.min(samples.count, PROBED_BLOCKS), 0];
  const times = samples.shown.slice(0, count).sort();
  for (let i = 2; i < count; i++) {
    const known = lasting || (i > 30 ? times[i] - times[2] : 0);
    if (known * tick >= PROBED_IN_SECONDS) count = i + 1;
    lasting += samples.durations[i];
  }
  const clock = clockRate(times.subarray(0, count), tick);
  const step = (times[count - 1] - times[0]) / (count - 1);
  if (!average && lasting) average = standardRate((count - 2) / (lasting * tick));
  if (!average && count > 3 && Math.abs(1 / (clock * tick) - step) <= 1) average = clock;
  return ratesOf(average, clock);
}
