// What mp4.js and matroska.js have in common: the samples of a track, which track is hashed
// (hashkit/media/tracks.py), and how often its frames come (hashkit/media/video_headers.py).

import { HashkitError } from "./errors.js";

/** Most samples of a track: a day of 115 frames a second. Each takes 37 bytes. */
const MAX_SAMPLES = 10_000_000;
const FIRST_SAMPLES = 1024;

export const IS_KEY = 1;
/** Decoded, since others need it, and not shown. */
export const IS_HIDDEN = 2;

/** @param {number} flags of a sample */
export const isKeyframe = (flags) => (flags & IS_KEY) !== 0;

/** The coded frames of a track, in the order in which they are decoded. Times are in ticks. */
export class SampleTable {
  constructor() {
    this.count = 0;
    this.places = new Float64Array(FIRST_SAMPLES);
    this.sizes = new Uint32Array(FIRST_SAMPLES);
    /** When each is shown. */
    this.shown = new Float64Array(FIRST_SAMPLES);
    this.decoded = new Float64Array(FIRST_SAMPLES);
    this.durations = new Float64Array(FIRST_SAMPLES);
    this.flags = new Uint8Array(FIRST_SAMPLES);
  }

  /**
   * @param {number} place in the file
   * @param {number} size in bytes
   * @param {number} shown
   * @param {number} decoded
   * @param {number} duration 0 where the file does not say
   * @param {number} flags
   */
  push(place, size, shown, decoded, duration, flags) {
    if (this.count === this.places.length) this.grow();
    const i = this.count++;
    this.places[i] = place;
    this.sizes[i] = size;
    this.shown[i] = shown;
    this.decoded[i] = decoded;
    this.durations[i] = duration;
    this.flags[i] = flags;
  }

  grow() {
    if (this.count >= MAX_SAMPLES) throw new HashkitError("too_much_memory");
    const length = Math.min(2 * this.count, MAX_SAMPLES);
    /** @type {<T extends {set(old: T): void}>(old: T, larger: T) => T} */
    const copied = (old, larger) => {
      larger.set(old);
      return larger;
    };
    this.places = copied(this.places, new Float64Array(length));
    this.sizes = copied(this.sizes, new Uint32Array(length));
    this.shown = copied(this.shown, new Float64Array(length));
    this.decoded = copied(this.decoded, new Float64Array(length));
    this.durations = copied(this.durations, new Float64Array(length));
    this.flags = copied(this.flags, new Uint8Array(length));
  }
}

/**
 * How a player turns what is stored: first swap the axes, then mirror left and right, then top and
 * bottom.
 * @typedef {{swap: boolean, mirror: boolean, flip: boolean}} Turn
 */

/**
 * The turn of a display matrix (ISO 14496-12), which maps x, y to a x + c y, b x + d y.
 * @param {number} a
 * @param {number} b
 * @param {number} c
 * @param {number} d
 * @returns {Turn}
 */
export function turnOfMatrix(a, b, c, d) {
  if (Math.abs(b) > Math.abs(a)) return { swap: true, mirror: c < 0, flip: b < 0 };
  return { swap: false, mirror: a < 0, flip: d < 0 };
}

/**
 * @typedef {object} VideoTrack
 * @property {string} coding what the file calls it
 * @property {Uint8Array | undefined} setup what the decoder needs beside the frames
 * @property {number} width
 * @property {number} height
 * @property {Turn} turn
 * @property {number | null} matrix how colour is coded (ISO/IEC 23091-2), as the container says
 * @property {boolean | null} isFullRange as the container says
 * @property {boolean} isDefault
 * @property {number | null} length in seconds
 * @property {number} tick in seconds
 * @property {SampleTable} samples
 */

const PREVIEW_PART = 0.5; // of the longest track: what is shorter is a preview, or one picture

/**
 * The track to hash: the one that the file marks as the default, then long ones before previews,
 * then the one with the most pixels, then the first.
 * @template {VideoTrack} T
 * @param {T[]} tracks without cover art and thumbnails
 * @returns {T}
 */
export function shownTrack(tracks) {
  const longest = Math.max(0, ...tracks.map((each) => each.length ?? 0));
  /** @param {T} track */
  const rank = (track) => [
    Number(track.isDefault),
    Number(track.length === null || track.length >= PREVIEW_PART * longest),
    track.width * track.height,
  ];
  if (!tracks.length) throw new HashkitError("no_video");
  return tracks.reduce((best, each) => (isHigher(rank(each), rank(best)) ? each : best));
}

/** @param {number[]} one @param {number[]} other */
function isHigher(one, other) {
  const at = one.findIndex((value, i) => value !== other[i]);
  return at !== -1 && one[at] > other[at];
}

/**
 * The nearest fraction whose numerator and denominator are at most `most`, as libavutil's
 * av_reduce: by continued fractions.
 * @param {number} numerator
 * @param {number} denominator
 * @param {number} most
 * @returns {number} as a number
 */
export function reducedFraction(numerator, denominator, most) {
  let [n, d] = [BigInt(Math.round(numerator)), BigInt(Math.round(denominator))];
  const limit = BigInt(most);
  const divisor = commonDivisor(n, d) || 1n;
  [n, d] = [n / divisor, d / divisor];
  if (n <= limit && d <= limit) return Number(n) / Number(d);
  let [before, last] = [[0n, 1n], [1n, 0n]];
  while (d) {
    let whole = n / d;
    const rest = n - d * whole;
    const next = [whole * last[0] + before[0], whole * last[1] + before[1]];
    if (next[0] > limit || next[1] > limit) {
      if (last[0]) whole = (limit - before[0]) / last[0];
      if (last[1] && (limit - before[1]) / last[1] < whole) whole = (limit - before[1]) / last[1];
      if (d * (2n * whole * last[1] + before[1]) > n * last[1]) {
        last = [whole * last[0] + before[0], whole * last[1] + before[1]];
      }
      break;
    }
    [before, last, n, d] = [last, next, d, rest];
  }
  return Number(last[0]) / Number(last[1]);
}

/** @param {bigint} a @param {bigint} b @returns {bigint} */
function commonDivisor(a, b) {
  while (b) [a, b] = [b, a % b];
  return a;
}

/** @param {number} a @param {number} b */
const wholeDivisor = (a, b) => Number(commonDivisor(BigInt(a), BigInt(b)));

// The rates that libavformat tries, in frames per 12 * 1001 seconds.
const STANDARD_RATES = [
  ...Array.from({ length: 360 }, (_, i) => (i + 1) * 1001),
  ...Array.from({ length: 30 }, (_, i) => (i + 31) * 1001 * 12),
  ...[80, 120, 240].map((rate) => rate * 1001 * 12),
  ...[24, 30, 60, 12, 15, 48].map((rate) => rate * 1000 * 12),
];
const RATE_UNIT = 12 * 1001;

/**
 * The rate that libavformat takes for that of the clock (`r_frame_rate`), by how near the times of
 * the first frames are to multiples of it. Where no rate fits, that of the ticks.
 * @param {ArrayLike<number>} times of the first frames, in ticks, going up
 * @param {number} tick in seconds
 * @returns {number} frames a second
 */
export function clockRate(times, tick) {
  /** @type {number[]} */
  const steps = [];
  for (let i = 1; i < times.length; i++) if (times[i] > times[i - 1]) steps.push(times[i]);
  if (steps.length < 2) return 1 / tick;
  const differences = steps.map((time, i) => time - (i ? steps[i - 1] : times[0]));
  // The first few may have some jitter.
  const common = differences.slice(3).reduce((a, b) => wholeDivisor(a, b), 0);
  if (steps.length > 15 && common > Math.max(1, Math.floor(1 / tick / 500))) {
    return 1 / (tick * common);
  }
  const usual = (tick * (steps[steps.length - 1] - times[0])) / steps.length;
  let [best, bestError] = [0, 0.01];
  for (const rate of STANDARD_RATES) {
    if (rate < RATE_UNIT || usual < (RATE_UNIT * 0.8) / rate) continue;
    for (const half of [0, 0.5]) {
      const error = spread(steps.map((time) => (time * tick * rate) / RATE_UNIT), half);
      if (error < bestError && bestError > 1e-9) [best, bestError] = [rate, error];
    }
  }
  return best && best / RATE_UNIT < 1.01 / tick ? best / RATE_UNIT : 1 / tick;
}

/**
 * The variance of how far numbers are from whole ones, or from those and a `half`.
 * @param {number[]} numbers
 * @param {number} half
 */
function spread(numbers, half) {
  let [sum, squares] = [0, 0];
  for (const number of numbers) {
    const error = number - nearestEven(number + half) + half;
    sum += error;
    squares += error * error;
  }
  return squares / numbers.length - (sum / numbers.length) ** 2;
}

/** @param {number} value */
function nearestEven(value) {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

/**
 * An average rate that libavformat worked out itself, as the standard rate within one part in a
 * hundred, if there is one.
 * @param {number} rate
 */
export function standardRate(rate) {
  let [best, bestError] = [rate, 0.01];
  for (const each of STANDARD_RATES) {
    const error = Math.abs(rate / (each / RATE_UNIT) - 1);
    if (error < bestError) [best, bestError] = [each / RATE_UNIT, error];
  }
  return best;
}

/**
 * @param {number | null} average frames a second
 * @param {number} clock as of `clockRate`
 * @returns {{rate: number, constantRate: number | null}}
 */
export function ratesOf(average, clock) {
  const rate = average || clock;
  return { rate, constantRate: average && Math.abs(average / clock - 1) < 1e-3 ? rate : null };
}
