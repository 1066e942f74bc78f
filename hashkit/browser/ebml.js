// The elements that Matroska and WebM are made of (RFC 8794).

import { uint } from "./bytes.js";

const BUFFERED = 1 << 16; // bytes

/** @typedef {{id: number, start: number, end: number}} Element `start` of its content */

/**
 * @param {Uint8Array} bytes
 * @param {number} place
 * @returns {Element | null} null where there is none
 */
export function elementAt(bytes, place) {
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
export function sizeAt(bytes, place) {
  const first = bytes[place];
  if (!first) return null;
  const width = Math.clz32(first) - 23;
  if (place + width > bytes.length) return null;
  const high = (first & ((1 << (8 - width)) - 1)) * 2 ** (8 * width - 8);
  const value = high + uint(bytes, place + 1, width - 1);
  return { value: value === 2 ** (7 * width) - 1 ? Infinity : value, width };
}

/**
 * @param {Uint8Array} bytes
 * @param {number} [start]
 * @param {number} [end]
 * @returns {Generator<Element>}
 */
export function* elementsIn(bytes, start = 0, end = bytes.length) {
  for (let place = start; place < end; ) {
    const element = elementAt(bytes, place);
    if (!element || element.end > end) return;
    yield element;
    place = element.end;
  }
}

/**
 * A number without a sign; 0 where it is longer than one may be.
 * @param {Uint8Array} bytes
 * @param {Element} element
 */
export function numberOf(bytes, { start, end }) {
  return end - start > 8 ? 0 : uint(bytes, start, end - start);
}

/** A number or a decimal one. @param {Uint8Array} bytes @param {Element} element */
export function floatOf(bytes, { start, end }) {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start);
  if (end - start === 4) return view.getFloat32(0);
  return end - start === 8 ? view.getFloat64(0) : 0;
}

/** The bytes around where the file is read, so that most reads need not wait. */
export class BufferedFile {
  /** @param {import("./bytes.js").FileBytes} file */
  constructor(file) {
    this.file = file;
    /** @type {Uint8Array} */
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
    this.bytes = await this.file.at(place, Math.max(count, BUFFERED));
    return this.bytes.subarray(0, count);
  }
}
