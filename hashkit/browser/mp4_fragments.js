// The fragments that an MP4 file may be written in as it is recorded (ISO/IEC 14496-12, 8.8).

import { boxAt, boxesIn, signed } from "./boxes.js";
import { uint } from "./bytes.js";
import { IS_HIDDEN, IS_KEY } from "./tracks.js";

/** @typedef {import("./boxes.js").Box} Box */
/** @typedef {import("./mp4.js").Movie} Movie */
/** @typedef {import("./mp4.js").Mp4Track} Mp4Track */

/**
 * An index of fragments (8.16.3): how long they are together.
 * @param {Movie} movie
 * @param {Uint8Array} bytes the content of the box
 */
export function readIndex(movie, bytes) {
  const track = movie.tracks.find((each) => each.id === uint(bytes, 4, 4));
  const width = bytes[0] ? 8 : 4;
  const scale = uint(bytes, 8, 4);
  let end = uint(bytes, 12, width);
  for (let at = 16 + 2 * width, left = uint(bytes, at - 2, 2); left > 0; left--, at += 12) {
    end += uint(bytes, at + 4, 4);
  }
  if (track && scale) track.end = track.duration = Math.round((end / scale) * track.timescale);
}

/**
 * A fragment (8.8): samples of any of the tracks.
 * @param {Movie} movie
 * @param {Uint8Array} bytes of the box
 * @param {number} place of the box in the file
 */
export function readFragment(movie, bytes, place) {
  const [box] = boxesIn(bytes, 0, bytes.length);
  let next = place; // where the samples of the next run lie if it does not say
  for (const part of box ? boxesIn(bytes, box.start, box.end) : []) {
    if (part.name !== "traf") continue;
    const head = boxAt(bytes, part, "tfhd");
    const track = head && movie.tracks.find((each) => each.id === uint(bytes, head.start + 4, 4));
    if (!head || !track || !movie.defaults.has(track.id)) continue;
    const { base, defaults } = fragmentHead(bytes, head, movie.defaults.get(track.id) ?? [], place);
    const clock = boxAt(bytes, part, "tfdt");
    if (clock) track.end = uint(bytes, clock.start + 4, bytes[clock.start] ? 8 : 4);
    for (const run of boxesIn(bytes, part.start, part.end)) {
      if (run.name === "trun") next = readRun(bytes, run, track, base ?? next, defaults, movie);
    }
  }
}

/** @param {Uint8Array} bytes @param {Box} head @param {number[]} usual @param {number} place */
function fragmentHead(bytes, head, usual, place) {
  const flags = uint(bytes, head.start + 1, 3);
  let at = head.start + 8;
  /** @type {number | undefined} */
  let base = flags & 0x20000 ? place : undefined;
  if (flags & 1) [base, at] = [uint(bytes, at, 8), at + 8];
  if (flags & 2) at += 4;
  const defaults = usual.map((value, i) => {
    if (!(flags & (8 << i))) return value;
    at += 4;
    return uint(bytes, at - 4, 4);
  });
  return { base, defaults };
}

const RUN_FIELDS = [0x100, 0x200, 0x400, 0x800]; // flags: duration, size, flags, later
const NEEDS_OTHERS = 0x1010000; // flags of a sample: it is no keyframe

/**
 * @param {Uint8Array} bytes
 * @param {Box} run
 * @param {Mp4Track} track
 * @param {number} base
 * @param {number[]} defaults duration, size, flags
 * @param {Movie} movie
 * @returns {number} where its samples end
 */
function readRun(bytes, run, track, base, defaults, movie) {
  const flags = uint(bytes, run.start + 1, 3);
  let at = run.start + 8;
  let place = base;
  if (flags & 1) [place, at] = [base + signed(uint(bytes, at, 4)), at + 4];
  let first = defaults[2];
  if (flags & 4) [first, at] = [uint(bytes, at, 4), at + 4];
  const { samples } = track;
  const last = samples.count ? samples.decoded[samples.count - 1] : -Infinity;
  const width = 4 * RUN_FIELDS.filter((each) => flags & each).length;
  for (let i = 0, left = uint(bytes, run.start + 4, 4); i < left && at + width <= run.end; i++) {
    if (!width && place > movie.size) break; // as many as it claims, of no bytes each
    const usual = [...defaults.slice(0, 2), i ? defaults[2] : first, 0];
    const [duration, size, own, later] = RUN_FIELDS.map((each, field) => {
      if (!(flags & each)) return usual[field];
      at += 4;
      return uint(bytes, at - 4, 4);
    });
    if (!size) break;
    const decoded = track.end - track.offset;
    track.shift = Math.max(track.shift, -signed(later));
    const skipped = track.coding === "mp4a" ? Math.max(0, track.offset) : 0;
    track.first ??= decoded + signed(later) + skipped;
    const isHidden = last >= decoded ? IS_HIDDEN : 0;
    if (track.kind === "vide") {
      const isKey = own & NEEDS_OTHERS ? 0 : IS_KEY;
      samples.push(place, size, signed(later), decoded, duration, isKey | isHidden);
    }
    track.counted += 1;
    track.lasting += duration;
    track.end += duration;
    place += size;
  }
  track.duration = Math.max(track.duration, track.end);
  return place;
}
