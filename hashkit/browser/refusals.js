// Pictures that are not opened: kinds that Python's decoders do not open either, and what a browser
// does not.

import { ascii, find, uint } from "./bytes.js";
import { FACTS } from "./data.js";
import { HashkitError, filledIn, unsupported } from "./errors.js";
import { itemSize } from "./items.js";
import { BMP_OLD_HEADER, JPEG_LS_FRAME, jpegFrame } from "./picture_headers.js";
import { jpegSegments } from "./picture_parts.js";
import { findVideo } from "./recognition.js";
import { picturesOpened } from "./support.js";

const LOSSLESS_FRAMES = [0xc3, 0xcb];
const HIERARCHICAL_FRAMES = [0xc5, 0xc6, 0xc7, 0xcd, 0xce, 0xcf];
const PROGRESSIVE_FRAMES = [0xc2, 0xc6, 0xca, 0xce];
const JPEG_CHANNELS = [1, 3, 4];
const MAX_SCANS = 100;
const BMP_OS2_HEADER = 64;
const BMP_DEPTHS = [1, 4, 8, 16, 24, 32];
const BMP_CODINGS = [0, 1, 2, 3, 6];
const HEIC_SEQUENCES = ["msf1", "hevc", "hevx", "hevm", "hevs"];

const PLAIN_FORMATS = ["jpeg", "png", "gif", "webp", "bmp", "ico"]; // opened by every browser
const MANY_PIXELS = 4096 * 4096;
const WITH_PYTHON = "hashkit on a computer opens it.";
const SHARED_COPY = "Or hash the JPEG or PNG version of it, the one that would be shared.";
/** @type {Record<string, [string, string]>} what a browser does not open, and what to do then */
const NOT_OPENED = {
  heif: [
    "This browser does not open HEIC pictures.",
    `Safari on an iPhone, iPad or Mac opens it, and so does hashkit on a computer. ${SHARED_COPY}`,
  ],
  avif: [
    "This browser does not open AVIF pictures.",
    `A newer browser opens it, and so does hashkit on a computer. ${SHARED_COPY}`,
  ],
  tiff: ["TIFF pictures are not opened in a browser.", `${WITH_PYTHON} ${SHARED_COPY}`],
  jpeg2000: ["JPEG 2000 pictures are not opened in a browser.", `${WITH_PYTHON} ${SHARED_COPY}`],
};

/**
 * Raise what Python raises for kinds that its decoders do not open, and for what would take too
 * long.
 * @param {string} format
 * @param {Uint8Array} bytes
 */
export function refuseRare(format, bytes) {
  if (format === "jpeg") {
    refuseRareJpeg(bytes);
  }
  if (format === "heif" && itemSize(bytes)[0] === 0) {
    refuseBursts(format, bytes); // a sequence need not hold a picture
  }
  if (format === "webp" && 8 + uint(bytes, 4, 4, true) > bytes.length) {
    throw new HashkitError("media_corrupt");
  }
  if (format === "bmp") {
    const [header, coding] = [uint(bytes, 14, 4, true), uint(bytes, 30, 4, true)];
    const bits = uint(bytes, 28, 2, true);
    if (header !== BMP_OLD_HEADER && header > 16) {
      const rare = header === BMP_OS2_HEADER && (coding === 3 || coding === 4);
      if (rare || !BMP_DEPTHS.includes(bits) || !BMP_CODINGS.includes(coding)) {
        throw unsupported(FACTS.rareKinds.bmp);
      }
    }
  }
}

/** @param {Uint8Array} bytes */
function refuseRareJpeg(bytes) {
  const frame = jpegFrame(bytes);
  if (frame === null) {
    throw new HashkitError(isHeaderCut(bytes) ? "media_truncated" : "media_corrupt");
  }
  if (LOSSLESS_FRAMES.includes(frame.marker)) {
    throw unsupported(FACTS.rareKinds.losslessJpeg);
  }
  if (HIERARCHICAL_FRAMES.includes(frame.marker)) {
    throw unsupported(FACTS.rareKinds.hierarchicalJpeg);
  }
  if (frame.marker === JPEG_LS_FRAME) {
    throw unsupported(FACTS.rareKinds.jpegLs);
  }
  if (frame.depth >= 2 && frame.depth <= 16 && frame.depth !== 8) {
    throw unsupported(filledIn(FACTS.rareKinds.deepJpeg, { bits: String(frame.depth) }));
  }
  if (isHeaderCut(bytes)) {
    throw new HashkitError("media_truncated");
  }
  if (!JPEG_CHANNELS.includes(frame.channels) || hasManyScans(bytes, frame.marker)) {
    throw new HashkitError("media_corrupt");
  }
}

/**
 * Whether a JPEG ends before its first scan begins.
 * @param {Uint8Array} bytes
 */
function isHeaderCut(bytes) {
  let end = 0;
  for (const { begin } of jpegSegments(bytes)) {
    end = begin + 2 + uint(bytes, begin + 2, 2);
  }
  return end > bytes.length;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} marker
 */
function hasManyScans(bytes, marker) {
  if (!PROGRESSIVE_FRAMES.includes(marker)) {
    return false;
  }
  const video = findVideo(bytes);
  const end = video < 0 ? bytes.length : video;
  let count = 0;
  let at = find(bytes, "\xff\xda", 0, end);
  while (at >= 0 && count <= MAX_SCANS) {
    count += 1;
    at = find(bytes, "\xff\xda", at + 2, end);
  }
  return count > MAX_SCANS;
}

/**
 * Raise what Python raises for a picture that cannot be decoded.
 * @param {string} format
 * @param {Uint8Array} bytes
 */
function refuseBursts(format, bytes) {
  if (format === "heif" && HEIC_SEQUENCES.includes(ascii(bytes, 8, 4))) {
    throw unsupported(FACTS.rareKinds.heicBurst);
  }
}

/**
 * The error for a picture that the browser did not decode.
 * @param {string} format
 * @param {Uint8Array} bytes
 * @param {string} finding
 * @param {number} pixels
 */
export async function whyNotOpened(format, bytes, finding, pixels) {
  refuseBursts(format, bytes);
  if (!PLAIN_FORMATS.includes(format) && !(await picturesOpened())[format]) {
    return notOpenedHere(format);
  }
  if (format !== "jpeg" && finding === "truncated") {
    return new HashkitError("media_truncated");
  }
  return new HashkitError(pixels > MANY_PIXELS ? "too_much_memory" : "media_corrupt");
}

/** @param {string} format */
export function notOpenedHere(format) {
  const [text, advice] = NOT_OPENED[format];
  return new HashkitError("unsupported_media", text, advice);
}
