// MP4 and MOV (ISO/IEC 14496-12): where the frames of a video lie, and when each is shown. Times
// are those of libavformat, which hashkit in Python reads with.

import { boxAt, boxesIn, numbersIn, signed } from "./boxes.js";
import { ascii, uint } from "./bytes.js";
import { FACTS } from "./data.js";
import { HashkitError } from "./errors.js";
import { readFragment, readIndex } from "./mp4_fragments.js";
import { NOTHING, readSamples } from "./mp4_samples.js";
import { clockRate, ratesOf, SampleTable } from "./tracks.js";
import { shownTrack, turnOfMatrix } from "./tracks.js";

const MAX_HEADER = 1 << 28; // bytes
const MAX_FRAGMENT = 1 << 24;
const MAX_TOP_BOXES = 1_000_000; // of the file itself
const MAX_EDITS = 1000;
const PROBED_OF_FRAGMENTS = 21; // samples of fragments by which the clock's rate is worked out

/** @typedef {import("./boxes.js").Box} Box */

/**
 * A track while it is read. `samples.shown` is how much later than decoded each is shown.
 * @typedef {import("./tracks.js").VideoTrack & {kind: string, id: number, timescale: number,
 *   duration: number, edits: {duration: number, time: number}[], chapters: number[], shift: number,
 *   offset: number, first: number | null, end: number, counted: number, lasting: number,
 *   clock: number | null, isProtected: boolean, hasOffsets: boolean}} Mp4Track
 */

/**
 * @typedef {object} Movie
 * @property {number} size of the file
 * @property {number} timescale
 * @property {Mp4Track[]} tracks
 * @property {Map<number, number[]>} defaults of the fragments' samples, by track: duration, size,
 *   flags
 */

/**
 * @param {import("./bytes.js").FileBytes} file
 * @param {AbortSignal} [signal]
 * @returns {Promise<import("./containers.js").Container>}
 */
export async function openMp4(file, signal) {
  /** @type {Movie | undefined} */
  let movie;
  let place = 0;
  for (let left = MAX_TOP_BOXES; left > 0; left--) {
    signal?.throwIfAborted();
    const head = await file.at(place, 16);
    if (head.length < 8) break;
    const [box] = boxesIn(head, 0, Infinity);
    if (!box) break;
    const size = box.end;
    if (box.name === "moov" && !movie) {
      if (size > MAX_HEADER) throw new HashkitError("too_much_memory");
      movie = readMovie(await file.at(place + box.start, size - box.start), file.size);
    } else if (movie && size <= MAX_FRAGMENT) {
      if (box.name === "moof") readFragment(movie, await file.at(place, size), place);
      if (box.name === "sidx") readIndex(movie, await file.at(place + box.start, size));
    }
    place += size;
  }
  if (!movie) throw new HashkitError("media_corrupt", FACTS.sentences.videoCorrupt);
  return containerOf(movie);
}

/**
 * @param {Uint8Array} bytes the content of moov
 * @param {number} size of the file
 * @returns {Movie}
 */
function readMovie(bytes, size) {
  const all = { name: "moov", start: 0, end: bytes.length };
  const head = boxAt(bytes, all, "mvhd");
  /** @type {Movie} */
  const movie = { size, timescale: 0, tracks: [], defaults: new Map() };
  let matrix = [65536, 0, 0, 65536];
  if (head) {
    const long = bytes[head.start] === 1 ? 1 : 0;
    movie.timescale = uint(bytes, head.start + 12 + 8 * long, 4);
    matrix = matrixAt(bytes, head.start + 36 + 12 * long);
  }
  const extension = boxAt(bytes, all, "mvex");
  for (const each of extension ? boxesIn(bytes, extension.start, extension.end) : []) {
    if (each.name !== "trex") continue;
    const numbers = [12, 16, 20].map((at) => uint(bytes, each.start + at, 4));
    movie.defaults.set(uint(bytes, each.start + 4, 4), numbers);
  }
  for (const each of boxesIn(bytes, 0, bytes.length)) {
    if (each.name !== "trak" || movie.tracks.length >= FACTS.limits.maxStreams) continue;
    const track = readTrack(bytes, each, matrix, movie);
    if (track) movie.tracks.push(track);
  }
  return movie;
}

/** The four numbers of a matrix that turn. @param {Uint8Array} bytes @param {number} place */
function matrixAt(bytes, place) {
  return [0, 4, 12, 16].map((at) => signed(uint(bytes, place + at, 4)));
}

/**
 * @param {Uint8Array} bytes
 * @param {Box} box
 * @param {number[]} whole the matrix of the movie
 * @param {Movie} movie
 * @returns {Mp4Track | null}
 */
function readTrack(bytes, box, whole, movie) {
  const head = boxAt(bytes, box, "tkhd");
  const media = boxAt(bytes, box, "mdia", "mdhd");
  const handler = boxAt(bytes, box, "mdia", "hdlr");
  const tables = boxAt(bytes, box, "mdia", "minf", "stbl");
  if (!head || !media || !handler || !tables) return null;
  const long = bytes[head.start] === 1 ? 1 : 0;
  const longMedia = bytes[media.start] === 1 ? 1 : 0;
  const [a, b, c, d] = matrixAt(bytes, head.start + 40 + 12 * long);
  const [e, f, g, h] = whole.map((each) => each / 65536);
  const timescale = uint(bytes, media.start + 12 + 8 * longMedia, 4) || movie.timescale || 1;
  /** @type {Mp4Track} */
  const track = {
    kind: ascii(bytes, handler.start + 8, 4),
    id: uint(bytes, head.start + 12 + 8 * long, 4),
    isDefault: (bytes[head.start + 3] & 1) === 1,
    turn: turnOfMatrix(a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h),
    timescale,
    tick: 1 / timescale,
    duration: uint(bytes, media.start + 16 + 8 * longMedia, longMedia ? 8 : 4),
    edits: editsOf(bytes, boxAt(bytes, box, "edts", "elst")),
    chapters: firstNumberOf(numbersIn(bytes, boxAt(bytes, box, "tref", "chap"), 0)),
    coding: "", setup: undefined, width: 0, height: 0, matrix: null, isFullRange: null,
    length: null, samples: new SampleTable(), isProtected: false, hasOffsets: false,
    shift: 0, offset: 0, first: null, end: 0, counted: 0, lasting: 0, clock: null,
  };
  readDescription(bytes, tables, track);
  readSamples(bytes, tables, track, movie);
  return track;
}

/** As many as there may be tracks. @param {Iterable<number>} numbers */
function firstNumberOf(numbers) {
  const found = [];
  for (const each of numbers) if (found.push(each) >= FACTS.limits.maxStreams) break;
  return found;
}

/** @param {Uint8Array} bytes @param {Box | undefined} box */
function editsOf(bytes, box) {
  /** @type {{duration: number, time: number}[]} */
  const edits = [];
  if (!box) return edits;
  const width = bytes[box.start] === 1 ? 8 : 4;
  const count = uint(bytes, box.start + 4, 4);
  for (let place = box.start + 8; edits.length < Math.min(count, MAX_EDITS); ) {
    if (place + 2 * width + 4 > box.end) break;
    const time = uint(bytes, place + width, width);
    const isNegative = bytes[place + width] > 127;
    edits.push({ duration: uint(bytes, place, width), time: isNegative ? NOTHING : time });
    place += 2 * width + 4;
  }
  return edits;
}

const PICTURE_FIELDS = 78; // bytes before the boxes in a description of pictures

/**
 * How its pictures are coded.
 * @param {Uint8Array} bytes
 * @param {Box} tables
 * @param {Mp4Track} track
 */
function readDescription(bytes, tables, track) {
  const list = boxAt(bytes, tables, "stsd");
  const [entry] = list ? boxesIn(bytes, list.start + 8, list.end) : [];
  if (!entry) return;
  track.coding = entry.name;
  if (track.kind !== "vide") return;
  track.isProtected = entry.name === "encv" || entry.name === "drmi";
  track.width = uint(bytes, entry.start + 24, 2);
  track.height = uint(bytes, entry.start + 26, 2);
  for (const each of boxesIn(bytes, entry.start + PICTURE_FIELDS, entry.end)) {
    if (["avcC", "hvcC", "av1C", "vpcC"].includes(each.name)) {
      track.setup = bytes.slice(each.start, each.end);
    } else if (each.name === "colr" && ["nclx", "nclc"].includes(ascii(bytes, each.start, 4))) {
      const matrix = uint(bytes, each.start + 8, 2);
      track.matrix = matrix === 2 ? null : matrix;
      if (bytes[each.start + 3] === 120) track.isFullRange = bytes[each.start + 10] > 127;
    }
  }
}


/**
 * What an open file is to videos.js.
 * @param {Movie} movie
 * @returns {import("./containers.js").Container}
 */
function containerOf(movie) {
  const chapters = new Set(movie.tracks.flatMap((each) => each.chapters));
  const pictures = movie.tracks.filter((each) => each.kind === "vide" && !chapters.has(each.id));
  for (const each of movie.tracks) each.length = each.duration / each.timescale || null;
  const track = shownTrack(pictures);
  if (track.isProtected) throw new HashkitError("protected_media");
  const { samples } = track;
  if (track.clock === null) {
    const probed = Math.min(samples.count, PROBED_OF_FRAGMENTS);
    track.clock = clockRate(samples.decoded.subarray(0, probed), track.tick);
  }
  for (let i = 0; i < samples.count; i++) samples.shown[i] += samples.decoded[i] + track.shift;
  if (samples.count && movie.defaults.size) track.first = samples.shown[0];
  const average = track.lasting > 0 ? (track.timescale * track.counted) / track.lasting : null;
  const start = startOf(movie.tracks);
  return {
    track,
    ...ratesOf(average, track.clock),
    duration: durationOf(movie),
    ownLength: track.length,
    othersEnd: Math.max(0, ...movie.tracks.filter((each) => each !== track).map(endOf)) - start,
    start: start >= 0 || (track.first ?? 0) < 0 ? start : 0,
    prefix: undefined,
    damaged: 0,
    several: pictures.filter((each) => each.samples.count !== 1).length > 1,
  };
}

/** @param {number} seconds */
const microseconds = (seconds) => Math.round(seconds * 1e6) / 1e6;

/**
 * When the first track begins; of text and the like, if they are less than a second before.
 * @param {Mp4Track[]} tracks
 */
function startOf(tracks) {
  /** @param {Mp4Track} each */
  const begins = (each) => microseconds((each.first ?? Infinity) * each.tick);
  /** @param {Mp4Track} each */
  const isShown = (each) => each.kind === "vide" || each.kind === "soun";
  const main = Math.min(...tracks.filter(isShown).map(begins));
  const others = Math.min(...tracks.filter((each) => !isShown(each)).map(begins));
  const start = main === Infinity || (main > others && main - others < 1) ? others : main;
  return start === Infinity ? 0 : start;
}

/** @param {Mp4Track} track */
const endOf = (track) => (track.first ?? 0) * track.tick + (track.length ?? 0);

/** Of all tracks together, in seconds; null where they do not say. @param {Movie} movie */
function durationOf(movie) {
  const start = startOf(movie.tracks);
  const ends = movie.tracks.map(endOf);
  const lengths = movie.tracks.map((each) => each.length ?? 0);
  return microseconds(Math.max(0, ...lengths, ...ends.map((end) => end - start))) || null;
}
