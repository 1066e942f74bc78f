// The samples of a track of an MP4 file: its tables (ISO/IEC 14496-12, 8.6 and 8.7) and edit list.

import { uint } from "./bytes.js";
import { boxAt, numbersIn, signed } from "./boxes.js";
import { clockRate, IS_HIDDEN, IS_KEY, SampleTable } from "./tracks.js";

/** @typedef {import("./boxes.js").Box} Box */
/** @typedef {import("./mp4.js").Mp4Track} Mp4Track */
/** @typedef {import("./mp4.js").Movie} Movie */

const PROBED = 99; // samples by which the clock's rate is worked out
export const NOTHING = -1; // the time of an edit that shows nothing

/**
 * Values that are repeated so many times each, as tables say them in pairs; the last one for ever.
 * @param {Uint8Array} bytes
 * @param {Box | undefined} box
 * @param {number | undefined} after what follows the last, if it is not repeated
 * @returns {Generator<number, number>}
 */
function* repeated(bytes, box, after) {
  let value = 0;
  if (box) {
    for (let place = box.start + 8; place + 8 <= box.end; place += 8) {
      value = uint(bytes, place + 4, 4);
      for (let left = uint(bytes, place, 4); left > 0; left--) yield value;
    }
  }
  for (;;) yield after ?? value;
}

/**
 * @param {Uint8Array} bytes
 * @param {Box} tables
 * @param {Mp4Track} track
 * @param {Movie} movie
 */
export function readSamples(bytes, tables, track, movie) {
  const times = boxAt(bytes, tables, "stts");
  const count = countOf(bytes, tables, movie.size);
  readRates(bytes, times, track);
  track.offset = offsetOf(track, movie);
  if (!count) return;
  const later = boxAt(bytes, tables, "ctts");
  track.first = 0;
  if (track.kind !== "vide") return void applyEdits(track, movie);
  track.hasOffsets = later !== undefined;
  track.shift = shiftOf(bytes, later);
  placeSamples(bytes, tables, track, count);
  const { samples } = track;
  const durations = repeated(bytes, times, undefined);
  const offsets = repeated(bytes, later, 0);
  for (let i = 0, decoded = -track.shift; i < samples.count; i++) {
    const duration = credibleStep(durations.next().value);
    samples.shown[i] = signed(offsets.next().value);
    samples.decoded[i] = decoded;
    samples.durations[i] = duration;
    decoded += duration;
  }
  const isFixed = track.clock !== null;
  const probed = Math.min(samples.count, PROBED);
  track.clock ??= clockRate(samples.decoded.subarray(0, probed), track.tick);
  if (!isFixed && !isFine(track)) track.clock = track.timescale;
  track.first = samples.shown[0];
  applyEdits(track, movie);
}

/** @param {number} duration as stored: very large ones are negative, or wrong */
const credibleStep = (duration) => (duration > 0xffffffff - 480000 ? 1 : duration);

/** Whether its ticks are too fine to be frames. @param {Mp4Track} track */
function isFine(track) {
  const isUsual = track.timescale >= 5 && track.timescale < 101;
  return !isUsual || /^(avc|hvc|hev|mp4v)/.test(track.coding);
}

/**
 * How many samples the table of sizes has. Those of one size are no more than fit into the file.
 * @param {Uint8Array} bytes
 * @param {Box} tables
 * @param {number} fileSize
 */
function countOf(bytes, tables, fileSize) {
  const box = boxAt(bytes, tables, "stsz");
  const small = boxAt(bytes, tables, "stz2");
  if (!box) return small ? uint(bytes, small.start + 8, 4) : 0;
  const size = uint(bytes, box.start + 4, 4);
  const count = uint(bytes, box.start + 8, 4);
  return size ? Math.min(count, Math.floor(fileSize / size)) : count;
}

/** @param {Uint8Array} bytes @param {Box | undefined} box @param {Mp4Track} track */
function readRates(bytes, box, track) {
  if (!box) return;
  const runs = [];
  let [counted, lasting, entries] = [0, 0, 0];
  for (let place = box.start + 8; place + 8 <= box.end; place += 8, entries++) {
    const run = [uint(bytes, place, 4), credibleStep(uint(bytes, place + 4, 4))];
    counted += run[0];
    lasting += run[0] * run[1];
    if (entries < 2) runs.push(run);
  }
  [track.counted, track.lasting] = [counted, lasting];
  if (lasting) track.duration = Math.min(track.duration, lasting);
  if (entries === 1 || (entries === 2 && runs[1][0] === 1)) {
    track.clock = track.timescale / runs[0][1] || null;
  }
}

/**
 * By how much frames may be shown before they are decoded.
 * @param {Uint8Array} bytes
 * @param {Box | undefined} box
 */
function shiftOf(bytes, box) {
  let shift = 0;
  if (!box) return shift;
  for (let place = box.start + 8; place + 24 <= box.end; place += 8) {
    shift = Math.max(shift, -signed(uint(bytes, place + 4, 4)));
  }
  return shift;
}

/**
 * Where the samples lie, and which are keyframes.
 * @param {Uint8Array} bytes
 * @param {Box} tables
 * @param {Mp4Track} track
 * @param {number} count
 */
function placeSamples(bytes, tables, track, count) {
  const chunks = boxAt(bytes, tables, "stsc");
  const wide = boxAt(bytes, tables, "co64");
  const offsets = wide ?? boxAt(bytes, tables, "stco");
  if (!chunks || !offsets) return;
  const width = wide ? 8 : 4;
  const sizes = sizesOf(bytes, tables);
  const isKey = keysOf(bytes, boxAt(bytes, tables, "stss"));
  let at = chunks.start + 8;
  for (let place = offsets.start + 8, i = 1; place + width <= offsets.end; place += width, i++) {
    while (at + 24 <= chunks.end && uint(bytes, at + 12, 4) === i) at += 12;
    let start = uint(bytes, place, width);
    for (let left = uint(bytes, at + 4, 4); left > 0; left--) {
      if (track.samples.count >= count) return;
      const size = sizes.next().value;
      if (size === undefined) return;
      const flags = isKey(track.samples.count + 1) ? IS_KEY : 0;
      track.samples.push(start, size, 0, 0, 0, flags);
      start += size;
    }
  }
}

/** @param {Uint8Array} bytes @param {Box} tables @returns {Generator<number>} */
function* sizesOf(bytes, tables) {
  const box = boxAt(bytes, tables, "stsz");
  if (box) {
    const all = uint(bytes, box.start + 4, 4);
    for (;all;) yield all;
    yield* numbersIn(bytes, box, 12);
    return;
  }
  const small = boxAt(bytes, tables, "stz2");
  const bits = small ? bytes[small.start + 7] : 0;
  if (!small || ![4, 8, 16].includes(bits)) return;
  for (let place = 0; small.start + 12 + ((place + bits) >> 3) <= small.end; place += bits) {
    const value = uint(bytes, small.start + 12 + (place >> 3), bits === 16 ? 2 : 1);
    yield bits === 4 ? (value >> (place & 4 ? 0 : 4)) & 15 : value;
  }
}

/**
 * Whether a sample, counted from 1, can be decoded on its own. To be asked in order.
 * @param {Uint8Array} bytes
 * @param {Box | undefined} box
 * @returns {(number: number) => boolean}
 */
function keysOf(bytes, box) {
  if (!box) return () => true;
  const numbers = numbersIn(bytes, box, 8);
  let next = numbers.next().value;
  if (next === undefined) return (number) => number === 1;
  const base = next === 0 ? 1 : 0;
  return (number) => {
    if (number !== Number(next) + base) return false;
    next = numbers.next().value ?? 0;
    return true;
  };
}

/**
 * By how much the samples of fragments are shown before they say.
 * @param {Mp4Track} track
 * @param {Movie} movie
 */
function offsetOf(track, movie) {
  const [first, second] = track.edits;
  if (!first || !movie.timescale) return 0;
  if (first.time !== NOTHING) return first.time;
  const empty = Math.round((first.duration * track.timescale) / movie.timescale);
  return (second?.time ?? 0) - empty;
}

/**
 * Leave out what no edit shows, and move the rest to where it is shown, as libavformat does.
 * @param {Mp4Track} track
 * @param {Movie} movie
 */
function applyEdits(track, movie) {
  const old = track.samples;
  if (!track.edits.length || !movie.timescale) return;
  const edited = { table: new SampleTable(), earliest: NOTHING };
  let [end, empty, isFirst] = [-track.shift, 0, true];
  for (const { duration, time } of track.edits) {
    const lasting = Math.round((duration * track.timescale) / movie.timescale);
    const start = end;
    end += lasting;
    if (isFirst && time === NOTHING) {
      empty += lasting;
    } else {
      isFirst = false;
      if (track.kind === "vide" && old.count) showEdit(track, edited, start, time, lasting);
    }
  }
  track.first = empty;
  track.duration = Math.min(track.duration, end + track.shift);
  if (track.kind !== "vide" || !old.count) return;
  const excess = edited.earliest - empty;
  for (let i = 0; excess > 0 && i < edited.table.count; i++) edited.table.decoded[i] -= excess;
  track.samples = edited.table;
}

/**
 * The samples of one edit: those that it shows, and hidden ones that others need.
 * @param {Mp4Track} track
 * @param {{table: SampleTable, earliest: number}} edited
 * @param {number} start in the new time, of the edit
 * @param {number} time in the old one
 * @param {number} lasting
 */
function showEdit(track, edited, start, time, lasting) {
  const { samples, shift } = track;
  const { table } = edited;
  const before = table.count;
  let [now, isShowing, keysAfter] = [start, false, 0];
  for (let i = firstNeeded(samples, time - shift); i < samples.count; i++) {
    const step = i + 1 < samples.count ? samples.decoded[i + 1] - samples.decoded[i] : lasting;
    const shown = samples.decoded[i] + shift + samples.shown[i];
    const isOutside = shown < time || shown >= time + lasting;
    if (!isOutside) {
      const earliest = now + samples.shown[i] + shift;
      edited.earliest = edited.earliest < 0 ? earliest : Math.min(edited.earliest, earliest);
      if (!isShowing) countBack(table, before, start, samples, i);
      isShowing = true;
    }
    const flags = samples.flags[i] | (isOutside ? IS_HIDDEN : 0);
    const [place, size, duration] = [samples.places[i], samples.sizes[i], samples.durations[i]];
    table.push(place, size, samples.shown[i], now, duration, flags);
    if (isShowing) now += step;
    const isLast = shown + step >= time + lasting && (flags & IS_KEY) !== 0;
    if (isLast && (!track.hasOffsets || keysAfter++)) return;
  }
}

/**
 * Give hidden samples in front of the first that is shown times that go up to it.
 * @param {SampleTable} table
 * @param {number} before how many samples it had before this edit
 * @param {number} time of the first that is shown
 * @param {SampleTable} samples the old ones
 * @param {number} first which of them is shown first
 */
function countBack(table, before, time, samples, first) {
  const base = samples.decoded[first];
  for (let i = table.count - 1; i >= before; i--) {
    table.decoded[i] = time - (base - samples.decoded[first - (table.count - i)]);
  }
}

/**
 * The last keyframe that is shown at this time or before, else the first sample.
 * @param {SampleTable} samples
 * @param {number} time
 */
function firstNeeded(samples, time) {
  for (let i = samples.count - 1; i > 0; i--) {
    const isBefore = samples.decoded[i] <= time && samples.decoded[i] + samples.shown[i] <= time;
    if (isBefore && samples.flags[i] & IS_KEY) return i;
  }
  return 0;
}
