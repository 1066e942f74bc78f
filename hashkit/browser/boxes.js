// The boxes that MP4 and its kin are made of (ISO/IEC 14496-12, 4.2).

import { ascii, uint } from "./bytes.js";

const MAX_BOXES_IN = 10_000;

/** @typedef {{name: string, start: number, end: number}} Box `start` of its content */

/**
 * The boxes in a part of bytes, one after the other.
 * @param {Uint8Array} bytes
 * @param {number} start
 * @param {number} end
 * @returns {Generator<Box>}
 */
export function* boxesIn(bytes, start, end) {
  for (let place = start, left = MAX_BOXES_IN; place + 8 <= end && left > 0; left--) {
    let length = uint(bytes, place, 4);
    const content = place + (length === 1 ? 16 : 8);
    if (length === 1) length = uint(bytes, place + 8, 8);
    if (length === 0) length = end - place;
    if (length < content - place) return;
    const last = Math.min(place + length, end);
    yield { name: ascii(bytes, place + 4, 4), start: content, end: last };
    place = last;
  }
}

/**
 * The first box at the end of a path of names.
 * @param {Uint8Array} bytes
 * @param {Box} within
 * @param {string[]} names
 * @returns {Box | undefined}
 */
export function boxAt(bytes, within, ...names) {
  /** @type {Box | undefined} */
  let found = within;
  for (const name of names) {
    /** @type {Box | undefined} */
    let inner;
    for (const each of found ? boxesIn(bytes, found.start, found.end) : []) {
      if (each.name === name) {
        inner = each;
        break;
      }
    }
    found = inner;
  }
  return found;
}

/** @param {number} value of 32 bits, as a number with a sign */
export const signed = (value) => value | 0;

/**
 * Numbers of four bytes, one after the other.
 * @param {Uint8Array} bytes
 * @param {Box | undefined} box
 * @param {number} skipped bytes at the beginning
 */
export function* numbersIn(bytes, box, skipped) {
  if (!box) return;
  for (let place = box.start + skipped; place + 4 <= box.end; place += 4) {
    yield uint(bytes, place, 4);
  }
}
