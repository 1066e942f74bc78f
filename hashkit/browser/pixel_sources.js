// Where pixels are read from: what the browser decoded, or png.js. A part at a time, in the
// orientation in which they are stored.

/**
 * @typedef {object} Source
 * @property {number} width
 * @property {number} height
 * @property {number} bandPixels how many pixels are best read at once
 * @property {(left: number, top: number, width: number, height: number) =>
 *   Promise<Uint8Array | Uint8ClampedArray>} read four bytes a pixel: red, green, blue, and one
 *   that means nothing; may be changed by who reads
 * @property {() => Source} withoutAlpha the same, not laid on white; for those that have alpha
 * @property {() => void} close
 */

/** @typedef {[number, number, number, number]} Area left, top, width, height */

/** @type {ImageBitmapOptions} */
export const UNCHANGED = { colorSpaceConversion: "none", premultiplyAlpha: "none" };

const BAND_PIXELS = 1 << 18;
/** Of a VideoFrame: Firefox copies all of it every time. */
const FRAME_BAND_PIXELS = 1 << 22;
const MAX_CANVAS_SIDE = 8192;
/** One pixel of PNG, red 200, green 100, blue 50, alpha 0. */
const HIDDEN_PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGM4"
  + "kWLEAAAEtQFfoI2A0AAAAABJRU5ErkJggg==";

/**
 * @param {ImageBitmap} bitmap closed with the source
 * @param {number} maxCanvas in pixels
 * @returns {Source}
 */
export function bitmapSource(bitmap, maxCanvas) {
  const { width, height } = bitmap;
  return {
    width, height, bandPixels: BAND_PIXELS,
    read: async (...area) => drawnArea(bitmap, area, maxCanvas),
    withoutAlpha: noAlpha,
    close: () => bitmap.close(),
  };
}

/** @returns {never} */
function noAlpha() {
  throw new TypeError("The alpha of these pixels is not known.");
}

/**
 * A picture that is too large for one bitmap: each part is decoded when it is read.
 * @param {Blob} blob
 * @param {[number, number]} size
 * @param {number} maxPart in pixels
 * @param {(part: ImageBitmap) => Source} sourceOf
 * @returns {Promise<Source>} rejected where the browser does not decode it
 */
export async function stripSource(blob, [width, height], maxPart, sourceOf) {
  const strips = stripsOf(blob, [width, height], maxPart, sourceOf);
  await strips.read(0, 0, 1, 1);
  return strips;
}

/**
 * @param {Blob} blob
 * @param {[number, number]} size
 * @param {number} maxPart
 * @param {(part: ImageBitmap) => Source} sourceOf
 * @returns {Source}
 */
function stripsOf(blob, [width, height], maxPart, sourceOf) {
  return {
    width, height, bandPixels: maxPart,
    read: async (left, top, across, down) => {
      const part = sourceOf(await createImageBitmap(blob, left, top, across, down, UNCHANGED));
      try {
        return await part.read(0, 0, across, down);
      } finally {
        part.close();
      }
    },
    withoutAlpha: () =>
      stripsOf(blob, [width, height], maxPart, (bitmap) => sourceOf(bitmap).withoutAlpha()),
    close: () => undefined,
  };
}

/** @type {{canvas: OffscreenCanvas, context: OffscreenCanvasRenderingContext2D} | null} */
let kept = null;

/**
 * @param {number} width
 * @param {number} height
 */
function canvasOf(width, height) {
  if (kept === null || kept.canvas.width < width || kept.canvas.height < height) {
    const canvas = new OffscreenCanvas(width, height);
    // Without alpha and with the pixels at hand: five times as fast in Chromium and WebKit.
    const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
    kept = { canvas, context: /** @type {OffscreenCanvasRenderingContext2D} */ (context) };
    kept.context.imageSmoothingEnabled = false;
  }
  return kept.context;
}

/**
 * Part of a bitmap, on white, drawn a tile at a time.
 * @param {ImageBitmap} bitmap
 * @param {Area} area
 * @param {number} maxCanvas
 */
function drawnArea(bitmap, [left, top, width, height], maxCanvas) {
  const across = Math.min(width, MAX_CANVAS_SIDE, maxCanvas);
  const down = Math.min(height, MAX_CANVAS_SIDE, Math.max(1, Math.floor(maxCanvas / across)));
  if (across === width && down === height) {
    return drawnTile(bitmap, [left, top, width, height]);
  }
  const pixels = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y += down) {
    for (let x = 0; x < width; x += across) {
      const [columns, rows] = [Math.min(across, width - x), Math.min(down, height - y)];
      const tile = drawnTile(bitmap, [left + x, top + y, columns, rows]);
      for (let row = 0; row < rows; row += 1) {
        const line = tile.subarray(4 * columns * row, 4 * columns * (row + 1));
        pixels.set(line, 4 * ((y + row) * width + x));
      }
    }
  }
  return pixels;
}

/**
 * @param {ImageBitmap} bitmap
 * @param {Area} area
 */
function drawnTile(bitmap, [left, top, width, height]) {
  const context = canvasOf(width, height);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, -left, -top);
  return context.getImageData(0, 0, width, height).data;
}

/**
 * Whether the first and the last row of a bitmap are there. What is not is transparent.
 * @param {ImageBitmap} bitmap
 */
export function coversAll(bitmap) {
  const width = Math.min(bitmap.width, MAX_CANVAS_SIDE);
  const canvas = new OffscreenCanvas(width, 2);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) {
    return true;
  }
  context.drawImage(bitmap, 0, 0, width, 1, 0, 0, width, 1);
  context.drawImage(bitmap, 0, bitmap.height - 1, width, 1, 0, 1, width, 1);
  const { data } = context.getImageData(0, 0, width, 2);
  return data.every((value, at) => at % 4 !== 3 || value === 255);
}

/**
 * A source that is opened when it is first read.
 * @param {{width: number, height: number, bandPixels: number}} size
 * @param {() => Promise<Source>} load
 * @returns {Source}
 */
export function lazySource({ width, height, bandPixels }, load) {
  /** @type {Promise<Source> | null} */
  let loaded = null;
  return {
    width, height, bandPixels,
    read: async (...area) => {
      loaded ??= load();
      return (await loaded).read(...area);
    },
    withoutAlpha: noAlpha,
    close: () => {
      loaded?.then((source) => source.close(), () => undefined);
      loaded = null;
    },
  };
}

/** @type {Promise<boolean> | undefined} */
let frameIsTrue;

/**
 * Whether a VideoFrame of a bitmap has the colours of the file where these are transparent. In
 * WebKit it has not.
 */
export function isFrameTrue() {
  frameIsTrue ??= (async () => {
    try {
      const bytes = Uint8Array.from(atob(HIDDEN_PIXEL), (each) => each.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([bytes]), UNCHANGED);
      const source = frameSource(bitmap);
      const pixel = await source.withoutAlpha().read(0, 0, 1, 1);
      source.close();
      return pixel.join() === "200,100,50,0";
    } catch {
      return false;
    }
  })();
  return frameIsTrue;
}

/**
 * A bitmap with its alpha as it is in the file. A canvas would round, and forget colours.
 * @param {ImageBitmap} bitmap closed at once
 * @returns {Source}
 */
export function frameSource(bitmap) {
  const frame = new VideoFrame(bitmap, { timestamp: 0, alpha: "keep" });
  const { width, height } = bitmap;
  bitmap.close();
  const { format } = frame;
  const [swapped, opaque] = [format?.[0] === "B", format?.[3] === "X"];
  if (format === null || !["BGRA", "BGRX", "RGBA", "RGBX"].includes(format)) {
    frame.close();
    throw new TypeError("The format of this VideoFrame is not known.");
  }
  const read = async (/** @type {Area} */ [x, y, across, down]) => {
    const pixels = new Uint8Array(across * down * 4);
    const layout = [{ offset: 0, stride: 4 * across }];
    await frame.copyTo(pixels, { rect: { x, y, width: across, height: down }, layout });
    for (let place = 3; opaque && place < pixels.length; place += 4) {
      pixels[place] = 255;
    }
    return swapped ? withRedFirst(pixels) : pixels;
  };
  return alphaSource(width, height, FRAME_BAND_PIXELS, read, () => frame.close());
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} bandPixels
 * @param {(area: Area) => Promise<Uint8Array>} read
 * @param {() => void} close
 * @returns {Source}
 */
function alphaSource(width, height, bandPixels, read, close) {
  const shared = { width, height, bandPixels, close };
  const raw = { ...shared, read: (/** @type {Area} */ ...area) => read(area) };
  const withoutAlpha = () => ({ ...raw, withoutAlpha });
  return {
    ...shared,
    read: async (...area) => laidOnWhite(await read(area)),
    withoutAlpha,
  };
}

/** @param {Uint8Array} pixels changed */
function withRedFirst(pixels) {
  for (let at = 0; at < pixels.length; at += 4) {
    const blue = pixels[at];
    pixels[at] = pixels[at + 2];
    pixels[at + 2] = blue;
  }
  return pixels;
}

/**
 * Rounded as Pillow does (AlphaComposite.c).
 * @param {Uint8Array} pixels changed
 */
function laidOnWhite(pixels) {
  for (let at = 0; at < pixels.length; at += 4) {
    const alpha = pixels[at + 3];
    if (alpha === 255) {
      continue;
    }
    const white = 255 * (255 - alpha) + 128;
    for (let channel = at; channel < at + 3; channel += 1) {
      const sum = (pixels[channel] * alpha + white) * 128;
      pixels[channel] = ((sum >> 8) + sum) >> 15;
    }
  }
  return pixels;
}

/**
 * @param {{width: number, height: number}} header
 * @param {() => Promise<import("./png.js").PngPixels>} load called when pixels are first read
 * @returns {Source}
 */
export function pngSource({ width, height }, load) {
  /** @type {Promise<import("./png.js").PngPixels> | null} */
  let loaded = null;
  const read = async (/** @type {Area} */ [left, top, across, down]) => {
    loaded ??= load();
    const { rgba } = await loaded;
    const pixels = new Uint8Array(across * down * 4);
    for (let row = 0; row < down; row += 1) {
      const from = 4 * ((top + row) * width + left);
      pixels.set(rgba.subarray(from, from + 4 * across), 4 * row * across);
    }
    return pixels;
  };
  return alphaSource(width, height, BAND_PIXELS, read, () => {
    loaded = null;
  });
}

/**
 * @param {Source} source
 * @param {Area} area
 * @returns {Source}
 */
export function croppedSource(source, [left, top, width, height]) {
  return {
    ...source, width, height,
    read: (x, y, across, down) => source.read(left + x, top + y, across, down),
    withoutAlpha: () => croppedSource(source.withoutAlpha(), [left, top, width, height]),
  };
}
