// From a file of a picture to its pixels in display orientation, a band of rows at a time.
//
// The browser decodes; what browsers do differently is done here (docs/conformance.md). PNG with
// transparency is read by png.js.

import { lookForMissing, noticeOfFinding } from "./completeness.js";
import { FACTS } from "./data.js";
import { HashkitError, checkPixels, noticeOf } from "./errors.js";
import { cleanAperture } from "./items.js";
import { neutralBlob, numbersOfPalette, onlyIcon, opaqueBlob } from "./neutral.js";
import { orientationOf } from "./orientation.js";
import { Picture } from "./picture.js";
import { besideOf, largestIcon, mayBeTransparent, sizeOf } from "./picture_headers.js";
import {
  UNCHANGED, beginBitmap, bitmapSource, coversAll, croppedSource, frameSource, isFrameTrue,
  lazySource, pngSource, stripSource,
} from "./pixel_sources.js";
import { pngHeader, readPng } from "./png.js";
import { notOpenedHere, refuseRare, whyNotOpened } from "./refusals.js";

/** @typedef {import("./pixel_sources.js").Source} Source */

/**
 * @typedef {object} PictureLimits
 * @property {number} maxPixels of a picture
 * @property {number} maxCanvas of what is drawn at once, in pixels
 * @property {number} maxBitmap of what is decoded at once, in pixels
 */

/** Whose pixels are all there: WebKit shows part of a damaged picture, and says nothing. */
const COVERED_FORMATS = ["jpeg", "png", "webp", "avif"];
const MAX_MISSING = 0.98;
const CUT_SHORT = "The file is cut short, and a browser does not read the part that is there.";
/** What iOS draws at most, in pixels. */
const MAX_CANVAS = 4096 * 4096;

/**
 * Decode a picture of the format that `identify` found.
 * @param {Blob} blob
 * @param {Uint8Array} bytes of the same file, all of it
 * @param {string} format
 * @param {Partial<PictureLimits>} [limits]
 * @returns {Promise<Picture>} to be closed; raises HashkitError
 */
export async function openPicture(blob, bytes, format, limits = {}) {
  const { maxPixels } = FACTS.limits;
  const all = { maxPixels, maxCanvas: MAX_CANVAS, maxBitmap: Infinity, ...limits };
  if (format === "ico") {
    return openIcon(blob, bytes, all);
  }
  if (format === "tiff" || format === "jpeg2000") {
    throw notOpenedHere(format);
  }
  refuseRare(format, bytes);
  const [width, height] = sizeOf(format, bytes);
  checkPixels(width, height, all.maxPixels);
  const begun = format === "jpeg" && width * height <= all.maxBitmap
    ? await beginBitmap(neutralBlob(blob, bytes, format, true)) : null;
  const found = await lookForMissing(format, bytes);
  const orientation = orientationOf(format, bytes);
  const file = { blob, bytes, format, finding: found, limits: all, orientation };
  const isCut = found === "truncated"; // it needs an end
  if (isCut) begun?.bitmap.then((bitmap) => bitmap?.close());
  const picture = await openWith(isCut ? file : { ...file, begun: begun?.bitmap });
  const finding = picture.isCut === null ? found : findingOfPng(found, picture.isCut);
  if (finding === "truncated") {
    await refuseMostlyMissing(picture);
  }
  picture.notices = noticesOf(noticeOfFinding(finding), besideOf(format, bytes));
  return picture;
}

/**
 * Whoever unpacks a PNG knows best whether pixels are missing.
 * @param {import("./completeness.js").Finding} found
 * @param {boolean} isCut
 */
function findingOfPng(found, isCut) {
  if (isCut) {
    return "truncated";
  }
  return found === "truncated" ? "missing" : found;
}

/** @param {(string | null)[]} codes */
function noticesOf(...codes) {
  return codes.flatMap((code) => (code === null ? [] : [noticeOf(code)]));
}

/**
 * @typedef {object} PictureFile
 * @property {Blob} blob
 * @property {Uint8Array} bytes
 * @property {string} format
 * @property {string} finding whether a part is missing
 * @property {number} orientation
 * @property {PictureLimits} limits
 * @property {Promise<ImageBitmap | null>} [begun] the picture, if the browser decodes it already
 */

/**
 * The largest picture in a file of icons, as Python takes it.
 * @param {Blob} blob
 * @param {Uint8Array} bytes
 * @param {PictureLimits} limits
 */
async function openIcon(blob, bytes, limits) {
  const icon = largestIcon(bytes, limits.maxPixels);
  const finding = await lookForMissing("ico", bytes);
  if (icon.end > bytes.length) {
    throw new HashkitError(icon.isPng ? "media_truncated" : "media_corrupt");
  }
  const inside = icon.isPng ? bytes.subarray(icon.at, icon.end) : onlyIcon(bytes, icon);
  const file = {
    blob: icon.isPng ? blob.slice(icon.at, icon.end) : new Blob([/** @type {BlobPart} */ (inside)]),
    bytes: inside, format: icon.isPng ? "png" : "ico", finding, orientation: 1, limits,
  };
  checkPixels(...icon.size, limits.maxPixels);
  const picture = icon.isPng ? await openWith(file) : await openByBrowser(file, icon.size);
  if (picture.isCut) {
    picture.close();
    throw new HashkitError("media_truncated");
  }
  picture.notices = noticesOf(noticeOfFinding(finding));
  return picture;
}

/**
 * @param {PictureFile} file
 * @returns {Promise<Picture>}
 */
async function openWith(file) {
  const { bytes, format, finding } = file;
  if (format !== "png") {
    if (finding === "truncated" && format !== "jpeg") {
      throw new HashkitError("media_truncated", CUT_SHORT);
    }
    return openByBrowser(file, sizeOf(format, bytes));
  }
  const header = pngHeader(bytes);
  const { colours, transparency, depth, hidden } = header;
  if (colours >= 4 || transparency || depth === 16 || hidden || finding !== "nothing") {
    return openPng(file, header);
  }
  try {
    const picture = await openByBrowser(file, [header.width, header.height]);
    return withReadings(picture, pngReadings(file, header));
  } catch (error) {
    if (error instanceof HashkitError && error.code === "media_corrupt") {
      return openPng(file, header); // a wrong checksum, for example, which is of no importance here
    }
    throw error;
  }
}

/**
 * @param {PictureFile} file
 * @param {import("./png.js").PngHeader} header
 */
async function openPng(file, header) {
  const pixels = await readPng(file.bytes, header, "shown");
  const shown = pngSource(header, async () => pixels);
  const picture = new Picture(shown, file.orientation);
  picture.isCut = pixels.cut;
  const others = pngReadings(file, header);
  if (!pixels.opaque && !isDeepGrey(header)) {
    others.unshift(["alpha-dropped", shown.withoutAlpha()]);
  }
  return withReadings(picture, others);
}

/** @param {import("./png.js").PngHeader} header */
function isDeepGrey({ depth, colours }) {
  return depth === 16 && colours === 0;
}

/**
 * What the numbers in a PNG are taken for.
 * @param {PictureFile} file
 * @param {import("./png.js").PngHeader} header
 * @returns {[string, Source][]}
 */
function pngReadings({ bytes }, header) {
  if (header.colours === 3 && !header.hidden) {
    return [["palette-indices", pngSource(header, () => readPng(bytes, header, "indices"))]];
  }
  if (isDeepGrey(header)) {
    return [["clipped-to-8-bits", pngSource(header, () => readPng(bytes, header, "clipped"))]];
  }
  return [];
}

/**
 * @param {PictureFile} file
 * @param {[number, number]} size as the file says
 * @returns {Promise<Picture>}
 */
async function openByBrowser(file, size) {
  const { blob, bytes, format } = file;
  const neutral = neutralBlob(blob, bytes, format, file.finding !== "truncated");
  const transparent = mayBeTransparent(format, bytes);
  const byFrame = transparent && format !== "gif" && (await isFrameTrue());
  const isCovered = COVERED_FORMATS.includes(format);
  const covers = isCovered && !transparent;
  const shown = await decodedSource(neutral, size, file, { byFrame, covers });
  const picture = new Picture(shown, file.orientation);
  /** @type {[string, Source][]} */
  const others = [];
  const add = (/** @type {string} */ name, /** @type {Blob | null} */ other) => {
    if (other !== null) {
      const load = () => decodedSource(other, size, file, { byFrame: false, covers: isCovered });
      others.push([name, lazySource(shown, load)]);
    }
  };
  if (byFrame) {
    others.push(["alpha-dropped", shown.withoutAlpha()]);
  } else if (transparent) {
    add("alpha-dropped", opaqueBlob(blob, bytes, format));
    await others[0]?.[1].read(0, 0, 1, 1).catch((error) => {
      shown.close(); // it does not cover all: the file is damaged
      throw error;
    });
  }
  if (format === "gif" || format === "bmp") {
    add("palette-indices", numbersOfPalette(blob, bytes, format));
  }
  return withReadings(picture, others);
}

/**
 * @param {Blob} blob
 * @param {[number, number]} size
 * @param {PictureFile} file
 * @param {{byFrame: boolean, covers: boolean}} how `covers`: every pixel is there, or the file is
 *   damaged
 * @returns {Promise<Source>}
 */
async function decodedSource(blob, size, file, { byFrame, covers }) {
  const { bytes, format, finding, limits, begun } = file;
  const pixels = size[0] * size[1];
  const sourceOf = (/** @type {ImageBitmap} */ bitmap) =>
    byFrame ? frameSource(bitmap) : bitmapSource(bitmap, limits.maxCanvas);
  let source = null;
  if (pixels <= limits.maxBitmap) {
    const bitmap = await (begun ?? createImageBitmap(blob, UNCHANGED).catch(() => null));
    const fits = bitmap?.width === size[0] && bitmap.height === size[1];
    if (bitmap !== null && !(fits && (!covers || coversAll(bitmap)))) {
      bitmap.close();
      throw new HashkitError("media_corrupt");
    }
    source = bitmap && sourceOf(bitmap);
  }
  if (source === null && pixels > Math.min(limits.maxCanvas, limits.maxBitmap)) {
    source = await stripSource(blob, size, limits.maxCanvas, sourceOf).catch(() => null);
  }
  if (source === null) {
    throw await whyNotOpened(format, bytes, finding, pixels);
  }
  const area = format === "avif" ? cleanAperture(bytes, ...size) : null;
  return area && area[2] * area[3] < pixels ? croppedSource(source, area) : source;
}

/**
 * @param {Picture} picture
 * @param {[string, Source][]} others
 */
function withReadings(picture, others) {
  const { orientation } = picture;
  if (orientation !== 1) {
    picture.readings.push({ name: "as-stored", picture: new Picture(picture.source, 1) });
  }
  for (const [name, source] of others) {
    picture.readings.push({ name, picture: new Picture(source, orientation) });
    if (orientation !== 1) {
      picture.readings.push({ name: `${name}+as-stored`, picture: new Picture(source, 1) });
    }
  }
  return picture;
}

/**
 * Raise MediaTruncated where next to nothing was decoded: the missing part has one colour, that of
 * the last pixel.
 * @param {Picture} picture
 */
async function refuseMostlyMissing({ source }) {
  const stored = new Picture(source, 1);
  const [corner] = await lastPixelOf(stored);
  let missing = 0;
  for await (const { data } of stored.bands()) {
    const pixels = new Uint32Array(data.buffer, data.byteOffset, data.length / 4);
    for (const pixel of pixels) {
      missing += pixel === corner ? 1 : 0;
    }
  }
  if (missing > MAX_MISSING * stored.width * stored.height) {
    throw new HashkitError("media_truncated");
  }
}

/** @param {Picture} picture */
async function lastPixelOf({ source }) {
  const data = await source.read(source.width - 1, source.height - 1, 1, 1);
  return new Uint32Array(data.buffer, data.byteOffset, 1);
}
