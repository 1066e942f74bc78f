// What a Matroska file says before its frames, and in its tags (RFC 9559).

import { ascii } from "./bytes.js";
import { FACTS } from "./data.js";
import { elementsIn, floatOf, numberOf } from "./ebml.js";
import { SampleTable, turnOfMatrix } from "./tracks.js";

/** @typedef {import("./ebml.js").Element} Element */

/**
 * @typedef {import("./tracks.js").VideoTrack & {kind: number, number: number, uid: string,
 *   usual: number, delay: number, first: number | null, end: number, isProtected: boolean,
 *   prefix: Uint8Array | undefined, isPacked: boolean}} MatroskaTrack `usual`: nanoseconds that a
 *   frame is shown, 0 where it is not said
 */

/** An open file while it is read. */
export class Segment {
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

/** @param {Segment} segment @param {Uint8Array} bytes */
export function readInfo(segment, bytes) {
  for (const each of elementsIn(bytes)) {
    if (each.id === 0x2ad7b1) segment.scale = numberOf(bytes, each) || 1e6;
    if (each.id === 0x4489) segment.duration = floatOf(bytes, each);
  }
}

/** @param {Segment} segment @param {Uint8Array} bytes */
export function readTracks(segment, bytes) {
  if (segment.tracks.size) return;
  for (const each of elementsIn(bytes)) {
    if (each.id !== 0xae || segment.tracks.size >= FACTS.limits.maxStreams) continue;
    const track = readMatroskaTrack(bytes, each);
    segment.tracks.set(track.number, track);
  }
}

/** @param {Uint8Array} bytes @param {Element} entry @returns {MatroskaTrack} */
function readMatroskaTrack(bytes, entry) {
  /** @type {MatroskaTrack} */
  const track = {
    kind: 0, number: 0, uid: "", usual: 0, delay: 0, first: null, end: 0, isProtected: false,
    prefix: undefined, isPacked: false, coding: "", setup: undefined, width: 0, height: 0,
    turn: turnOfMatrix(1, 0, 0, 1), matrix: null, isFullRange: null, isDefault: true,
    length: null, tick: 0, samples: new SampleTable(),
  };
  for (const each of elementsIn(bytes, entry.start, entry.end)) {
    const value = numberOf(bytes, each);
    if (each.id === 0xd7) track.number = value;
    if (each.id === 0x83) track.kind = value;
    if (each.id === 0x73c5) track.uid = identifierOf(bytes, each);
    if (each.id === 0x88) track.isDefault = value === 1;
    if (each.id === 0x23e383) track.usual = value;
    if (each.id === 0x56aa) track.delay = value;
    if (each.id === 0x86) {
      track.coding = ascii(bytes, each.start, each.end - each.start).replace(/\0.*/, "");
    }
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
    const value = numberOf(bytes, each);
    if (each.id === 0xb0) track.width = value;
    if (each.id === 0xba) track.height = value;
    if (each.id === 0x7670) track.turn = turnOfProjection(bytes, each);
    if (each.id !== 0x55b0) continue;
    for (const part of elementsIn(bytes, each.start, each.end)) {
      const number = numberOf(bytes, part);
      if (part.id === 0x55b1) track.matrix = number === 2 ? null : number;
      if (part.id === 0x55b9 && (number === 1 || number === 2)) track.isFullRange = number === 2;
    }
  }
}

/** @param {Uint8Array} bytes @param {Element} projection */
function turnOfProjection(bytes, projection) {
  let [kind, yaw, pitch, roll] = [0, 0, 0, 0];
  for (const each of elementsIn(bytes, projection.start, projection.end)) {
    if (each.id === 0x7671) kind = numberOf(bytes, each);
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

/**
 * Frames may be compressed, without a beginning that is always the same, or encrypted.
 * @param {Uint8Array} bytes
 * @param {Element} list
 * @param {MatroskaTrack} track
 */
function readEncodings(bytes, list, track) {
  for (const encoding of elementsIn(bytes, list.start, list.end)) {
    let [isEncryption, way] = [false, 0];
    for (const each of elementsIn(bytes, encoding.start, encoding.end)) {
      if (each.id === 0x5033) isEncryption = numberOf(bytes, each) === 1;
      if (each.id !== 0x5034) continue;
      for (const part of elementsIn(bytes, each.start, each.end)) {
        if (part.id === 0x4254) way = numberOf(bytes, part);
        if (part.id === 0x4255) track.prefix = bytes.slice(part.start, part.end);
      }
    }
    track.isProtected ||= isEncryption;
    track.isPacked ||= !isEncryption && way !== 3;
  }
}

/** @param {Segment} segment @param {Uint8Array} bytes */
export function readTags(segment, bytes) {
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
    if (!found || !uid) continue;
    const [hours, minutes, seconds] = found.slice(1).map(Number);
    segment.lengths.set(uid, hours * 3600 + minutes * 60 + seconds);
  }
}
