// The 64x64 luma of a picture that PDQ is computed from: fast, and with the rounding of the
// reference. Both take the picture row by row.
//
// The reference blurs the whole picture (a box filter along rows and columns, twice) and then
// samples 64 rows and 64 columns of it. Blur and sampling are linear and separable, so that only
// what is sampled needs to be computed, from about n/64 of n pixels each.

export const PDQ_SIDE = 64;

/**
 * How a picture is turned, by name in the order of the reference: whether left and right change
 * places, whether top and bottom do, and whether it is transposed then.
 * @type {{[name: string]: [mirror: boolean, flip: boolean, swap: boolean]}}
 */
export const PDQ_TURNS = {
  original: [false, false, false],
  "rotated-90": [true, false, true],
  "rotated-180": [true, true, false],
  "rotated-270": [false, true, true],
  flipped: [false, true, false],
  mirrored: [true, false, false],
  transposed: [false, false, true],
  transverse: [true, true, true],
};

/** How many pixels the box filter averages. @param {number} length @returns {number} */
export function blurSize(length) {
  return Math.ceil(length / (2 * PDQ_SIDE));
}

/** @param {number} length @returns {number[]} the 64 positions that are kept of a line */
export function keptPositions(length) {
  return Array.from({ length: PDQ_SIDE }, (_, i) => Math.floor(((i + 0.5) * length) / PDQ_SIDE));
}

/**
 * First pixel of the filter's window at `position`, and the one after its last.
 * @param {number} position @param {number} length @returns {[number, number]}
 */
function blurAt(position, length) {
  const size = blurSize(length);
  const half = (size + 2) >> 1;
  return [Math.max(0, position - (size - half)), Math.min(length, position + half)];
}

/**
 * @typedef {object} Taps the pixels of a line that count at each of 64 places
 * @property {Int32Array} starts the first of them
 * @property {Int32Array} ends behind the last
 * @property {Int32Array} places of the first in `weights`
 * @property {Float64Array} weights
 */

/**
 * @param {{start: number, weights: Float64Array}[]} all of each place the weights, from `start` on
 * @param {number} length of the line
 * @param {boolean} backwards whether the line is stored the other way round
 * @returns {Taps}
 */
export function tapsOf(all, length, backwards) {
  const starts = new Int32Array(PDQ_SIDE);
  const ends = new Int32Array(PDQ_SIDE);
  const places = new Int32Array(PDQ_SIDE);
  /** @type {number[]} */
  const stored = [];
  all.forEach(({ start, weights }, index) => {
    starts[index] = backwards ? length - start - weights.length : start;
    ends[index] = starts[index] + weights.length;
    places[index] = stored.length;
    if (backwards) weights.reverse();
    stored.push(...weights);
  });
  return { starts, ends, places, weights: Float64Array.from(stored) };
}

/**
 * What counts at the 64 positions that are kept of a line, as the box filter gives it.
 * @param {number} length of the line
 * @param {boolean} [backwards] whether it is stored the other way round
 * @returns {Taps}
 */
export function keptTaps(length, backwards = false) {
  const all = keptPositions(length).map((position) => twiceFiltered(position, length));
  return tapsOf(all, length, backwards);
}

/** @param {number} position @param {number} length of the line */
function twiceFiltered(position, length) {
  const [first, end] = blurAt(position, length);
  const start = blurAt(first, length)[0];
  const weights = new Float64Array(blurAt(end - 1, length)[1] - start);
  for (let centre = first; centre < end; centre++) {
    const [innerFirst, innerEnd] = blurAt(centre, length);
    for (let pixel = innerFirst; pixel < innerEnd; pixel++) {
      weights[pixel - start] += 1 / (innerEnd - innerFirst) / (end - first);
    }
  }
  return { start, weights };
}

/** The 64x64 luma, fed row by row: columns first, so that a row leaves 64 numbers. */
export class FastLuma {
  /** @param {Taps} across of a row @param {Taps} down of a column */
  constructor(across, down) {
    this.across = across;
    this.down = down;
    this.narrow = new Float64Array(PDQ_SIDE);
    this.sums = new Float64Array(PDQ_SIDE * PDQ_SIDE);
    this.row = 0;
  }

  /** @param {Uint8Array} data with 4 bytes a pixel @param {number} place of the row in it */
  addRow(data, place) {
    const { starts, ends, places, weights } = this.across;
    for (let column = 0; column < PDQ_SIDE; column++) {
      const end = place + 4 * ends[column];
      let sum = 0;
      for (let p = place + 4 * starts[column], tap = places[column]; p < end; p += 4, tap++) {
        sum += weights[tap] * (299 * data[p] + 587 * data[p + 1] + 114 * data[p + 2]);
      }
      this.narrow[column] = sum / 1000;
    }
    this.addNarrow();
  }

  /** @param {Uint8Array} data with a byte a pixel @param {number} place of the row in it */
  addPlaneRow(data, place) {
    const { starts, ends, places, weights } = this.across;
    for (let column = 0; column < PDQ_SIDE; column++) {
      const end = place + ends[column];
      let sum = 0;
      for (let p = place + starts[column], tap = places[column]; p < end; p++, tap++) {
        sum += weights[tap] * data[p];
      }
      this.narrow[column] = sum;
    }
    this.addNarrow();
  }

  addNarrow() {
    const { starts, ends, places, weights } = this.down;
    const { narrow, sums, row } = this;
    for (let kept = 0; kept < PDQ_SIDE; kept++) {
      if (row < starts[kept] || row >= ends[kept]) continue;
      const weight = weights[places[kept] + row - starts[kept]];
      for (let i = 0; i < PDQ_SIDE; i++) sums[PDQ_SIDE * kept + i] += weight * narrow[i];
    }
    this.row++;
  }

  /** @param {boolean} [swap] whether it is transposed @returns {Float32Array} */
  finish(swap = false) {
    return Float32Array.from(this.sums, (sum, place) =>
      swap ? this.sums[PDQ_SIDE * (place % PDQ_SIDE) + Math.floor(place / PDQ_SIDE)] : sum,
    );
  }
}

/**
 * The 64x64 luma with the rounding of the reference, fed row by row: box filter along rows, then
 * along columns, and both again. It keeps as many rows as the filter averages.
 */
export class ReferenceLuma {
  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.isExact = width === PDQ_SIDE && height === PDQ_SIDE; // the reference does not filter these
    this.line = new Float32Array(width);
    this.filtered = new Float32Array(width);
    this.narrow = new Float32Array(PDQ_SIDE);
    this.columns = keptPositions(width);
    this.rows = keptPositions(height);
    this.first = new ColumnFilter(height, width);
    this.second = new ColumnFilter(height, PDQ_SIDE);
    this.luma = new Float32Array(PDQ_SIDE * PDQ_SIDE);
    this.kept = 0; // rows of `luma` that are done
    this.done = 0; // rows that have left the last filter
  }

  /** @param {Uint8Array} data with 4 bytes a pixel @param {number} place of the row in it */
  addRow(data, place) {
    const { line } = this;
    for (let x = 0, p = place; x < line.length; x++, p += 4) {
      line[x] = data[p] * 0.299 + data[p + 1] * 0.587 + data[p + 2] * 0.114;
    }
    if (this.isExact) {
      this.keep(line);
      return;
    }
    filterLine(line, this.filtered);
    this.addAgain(this.first.take(this.filtered));
  }

  /** @param {Float32Array | null} row filtered along both axes */
  addAgain(row) {
    if (row === null) return;
    filterLine(row, this.filtered);
    this.columns.forEach((x, index) => (this.narrow[index] = this.filtered[x]));
    this.keep(this.second.take(this.narrow));
  }

  /** @param {Float32Array | null} row the next that is filtered twice, of 64 */
  keep(row) {
    if (row === null) return;
    for (; this.rows[this.kept] === this.done; this.kept++) {
      this.luma.set(row, PDQ_SIDE * this.kept); // short pictures keep some rows more than once
    }
    this.done++;
  }

  /** @returns {Float32Array} */
  finish() {
    if (this.isExact) return this.luma;
    for (let left = this.first.ahead - 1; left > 0; left--) this.addAgain(this.first.take());
    for (let left = this.second.ahead - 1; left > 0; left--) this.keep(this.second.take());
    return this.luma;
  }
}

/** @param {Float32Array} line @param {Float32Array} filtered where the result goes */
function filterLine(line, filtered) {
  const { length } = line;
  const size = blurSize(length);
  const ahead = (size + 2) >> 1;
  let sum = 0;
  for (let entering = 0; entering < length + ahead - 1; entering++) {
    if (entering < length) sum = Math.fround(sum + line[entering]);
    if (entering >= size) sum = Math.fround(sum - line[entering - size]);
    if (entering >= ahead - 1) {
      const count = Math.min(entering, length - 1) - Math.max(entering - size, -1);
      filtered[entering - ahead + 1] = sum / count;
    }
  }
}

/** The same filter along columns, for rows that come one after the other. */
class ColumnFilter {
  /** @param {number} height @param {number} width */
  constructor(height, width) {
    this.height = height;
    this.size = blurSize(height);
    this.ahead = (this.size + 2) >> 1; // rows that are taken before the first one comes out
    this.entering = 0;
    this.zeros = new Float32Array(width);
    this.sums = new Float32Array(width);
    this.filtered = new Float32Array(width);
    this.held = Array.from({ length: this.size }, () => new Float32Array(width));
  }

  /**
   * @param {Float32Array} [row] the next; none behind the last
   * @returns {Float32Array | null} a filtered row, which stays until the next call
   */
  take(row = this.zeros) {
    const { sums, filtered, size, entering } = this;
    const leaving = this.held[entering % size]; // zeros, before there is any
    const count = Math.min(entering, this.height - 1) - Math.max(entering - size, -1);
    for (let x = 0; x < sums.length; x++) {
      sums[x] = Math.fround(sums[x] + row[x]) - leaving[x];
      filtered[x] = sums[x] / count;
    }
    leaving.set(row);
    this.entering++;
    return this.entering >= this.ahead ? filtered : null;
  }
}
