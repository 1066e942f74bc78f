// A small copy of a picture, and what PDQ sees of it turned over (hashkit/variants/computing.py).
// It is OpenCV's, by INTER_AREA, to the last bit: each pixel is the mean of those that it covers,
// in float32 sums.

import { blurSize, FastLuma, keptPositions, PDQ_TURNS, tapsOf } from "./pdq_luma.js";

// As in Python: pixels of the longer side, of the shorter one of long pictures, and of both.
const COPY_SIDE = 1024;
const COPY_SHORTER = 512;
const COPY_PIXELS = 4 << 20;

/** @typedef {{to: number, from: number, share: number}} Share */

/** The copy of a picture that comes row by row. */
export class SmallCopy {
  /** @param {number} width of the picture @param {number} height */
  constructor(width, height) {
    const [shorter, longer] = [Math.min(width, height), Math.max(width, height)];
    const enough = Math.max(COPY_SIDE / longer, COPY_SHORTER / shorter);
    const part = Math.min(1, enough, Math.sqrt(COPY_PIXELS / (width * height)));
    this.of = { width, height };
    this.width = Math.max(1, roundHalfEven(width * part));
    this.height = Math.max(1, roundHalfEven(height * part));
    // Of whole numbers of pixels, OpenCV divides the sum, and of 2 by 2 it rounds halves up.
    const isWhole = width % this.width === 0 && height % this.height === 0;
    const covered = (width / this.width) * (height / this.height);
    this.factor = isWhole ? Math.fround(1 / covered) : 1;
    this.isHalved = isWhole && width === 2 * this.width && height === 2 * this.height;
    this.across = coveredBy(width, this.width, isWhole);
    this.down = coveredBy(height, this.height, isWhole);
    this.data = new Uint8Array(4 * this.width * this.height); // the fourth byte is not used
    this.line = new Float32Array(4 * this.width);
    this.sums = new Float32Array(4 * this.width);
    this.row = 0;
    this.next = 0; // in `down`
  }

  /** @param {Uint8Array} pixels with 4 bytes a pixel @param {number} place of the row in them */
  addRow(pixels, place) {
    const { line, sums, down } = this;
    line.fill(0);
    for (const { to, from, share } of this.across) {
      const pixel = place + 4 * from;
      for (let i = 0; i < 3; i++) line[4 * to + i] += Math.fround(share * pixels[pixel + i]);
    }
    for (; this.next < down.length && down[this.next].from === this.row; this.next++) {
      const { to, share } = down[this.next];
      for (let i = 0; i < line.length; i++) sums[i] += Math.fround(share * line[i]);
      if (down[this.next + 1]?.to !== to) this.endRow(to);
    }
    this.row++;
  }

  /** @param {number} row of the copy: all that it covers is in the sums */
  endRow(row) {
    const start = row * this.sums.length;
    this.sums.forEach((sum, i) => {
      const mean = Math.fround(sum * this.factor);
      this.data[start + i] = this.isHalved ? Math.floor(mean + 0.5) : roundHalfEven(mean);
    });
    this.sums.fill(0);
  }

  /**
   * The 64x64 luma of the whole picture, turned.
   * @param {string} turn a name of PDQ_TURNS
   * @returns {Float32Array}
   */
  luma(turn) {
    const [mirror, flip, swap] = PDQ_TURNS[turn];
    const across = scaledTaps(this.width, this.of.width, mirror);
    const reduction = new FastLuma(across, scaledTaps(this.height, this.of.height, flip));
    for (let row = 0; row < this.height; row++) reduction.addRow(this.data, 4 * row * this.width);
    return reduction.finish(swap);
  }
}

/**
 * What each pixel of a line has of those of a longer one: a part of their mean, or of their sum.
 * @param {number} length @param {number} shorter @param {boolean} summed @returns {Share[]}
 */
function coveredBy(length, shorter, summed) {
  const scale = 1 / (shorter / length); // as OpenCV computes it
  /** @type {Share[]} */
  const shares = [];
  for (let to = 0; to < shorter; to++) {
    const [start, end] = [to * scale, to * scale + scale];
    const width = Math.min(scale, length - start);
    const last = Math.min(Math.floor(end), length - 1);
    const first = Math.min(Math.ceil(start), last);
    const add = (/** @type {number} */ from, /** @type {number} */ part) => {
      shares.push({ to, from, share: summed ? 1 : Math.fround(part / width) });
    };
    if (first - start > 1e-3) add(first - 1, first - start);
    for (let from = first; from < last; from++) add(from, 1);
    if (end - last > 1e-3) add(last, Math.min(end - last, 1, width));
  }
  return shares;
}

/**
 * What counts in a line of a small copy at the 64 positions that are kept of the whole line.
 * @param {number} length of the line @param {number} whole pixels that it had
 * @param {boolean} backwards @returns {import("./pdq_luma.js").Taps}
 */
function scaledTaps(length, whole, backwards) {
  const blur = blurSize(whole);
  const pixel = whole / length;
  const many = Math.min(length, Math.floor((2 * blur) / pixel) + 3);
  const all = keptPositions(whole).map((position) => {
    const middle = position + (blur % 2 === 0 ? 1 : 0); // even ones lean to the end
    const nearest = Math.floor((middle - blur) / pixel) - 1;
    const start = Math.min(Math.max(nearest, 0), length - many);
    const before = (/** @type {number} */ edge) => {
      return weightBefore(Math.min(Math.max(edge, 0), whole) - middle, blur);
    };
    const inside = before(whole) - before(0); // what is left of the window counts for all of it
    const weights = Float64Array.from({ length: many }, (_, i) => {
      return (before((start + i + 1) * pixel) - before((start + i) * pixel)) / inside;
    });
    return { start, weights };
  });
  return tapsOf(all, length, backwards);
}

/**
 * The sum of PDQ's weights before `offset` pixels from where the middle one begins. A mean of means
 * has weights that rise and fall in equal steps, and their sum is a straight line within a pixel.
 * @param {number} offset @param {number} blur @returns {number}
 */
function weightBefore(offset, blur) {
  const within = Math.min(Math.max(offset, -blur), blur);
  const pixel = Math.floor(within);
  const [before, after] = [pixel, pixel + 1].map((edge) => {
    const rising = Math.min(Math.max(edge + blur - 1, 0), blur);
    const falling = Math.min(Math.max(blur - edge, 0), blur);
    const twice = edge <= 0 ? rising * (rising + 1) : 2 * blur ** 2 - falling * (falling + 1);
    return twice / (2 * blur ** 2);
  });
  return before + (within - pixel) * (after - before);
}

/** @param {number} value @returns {number} */
function roundHalfEven(value) {
  const whole = Math.floor(value);
  const rest = value - whole;
  return rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? whole + 1 : whole;
}
