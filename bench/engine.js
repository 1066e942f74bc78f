// What the engine for browsers has to do most, on data made here: bench/engine.py measures it beside
// others. In a browser: serve the repository (python -m http.server --bind 127.0.0.1), open any
// page of it and run in the console: (await import("/bench/engine.js")).all().then(console.table)

import { Digest, digestsOf } from "../hashkit/browser/digests.js";
import { pdqOf, pdqOfLuma, reduceLuma } from "../hashkit/browser/pdq.js";
import { hashEdits } from "../hashkit/browser/variants.js";

export const MEGABYTES = 64;
const PIECE = 2 << 20;
const [WIDTH, HEIGHT, BAND] = [4000, 3000, 256];

const bytes = new Uint8Array(MEGABYTES * 1_000_000).map((_, i) => Math.imul(i, 2654435761) >>> 24);

function digest(name) {
  const found = new Digest(name);
  for (let place = 0; place < bytes.length; place += PIECE) {
    found.update(bytes.subarray(place, place + PIECE));
  }
  return found.hex();
}

/** A picture of 4000 by 3000 pixels, by a function of the place. */
function pictureOf(colour) {
  const data = new Uint8ClampedArray(4 * WIDTH * HEIGHT);
  for (let i = 0; i < data.length; i++) data[i] = colour((i >> 2) % WIDTH, (i >> 2) / WIDTH, i % 4);
  return {
    width: WIDTH,
    height: HEIGHT,
    async *bands() {
      for (let row = 0; row < HEIGHT; row += BAND) {
        const rows = Math.min(BAND, HEIGHT - row);
        yield { data: data.subarray(4 * row * WIDTH, 4 * (row + rows) * WIDTH), rows };
      }
    },
  };
}

const wavy = pictureOf((x, y, channel) => {
  return 128 + 60 * Math.sin(x / 300 + y / 200 + channel) + 50 * Math.sin(x / 90 - y / 70);
});
const flat = pictureOf(() => 77);
const frame = bytes.subarray(0, 1920 * 1080);

/** Each measured work by its name. */
export const WORK = {
  md5: () => digest("md5"),
  sha1: () => digest("sha1"),
  sha256: () => digest("sha256"),
  sha512: () => digest("sha512"),
  "the three of services": () => digestsOf(new Blob([bytes]), ["md5", "sha1", "sha256"]),
  "PDQ, 12 MP": () => pdqOf(wavy),
  "PDQ, 12 MP, with the reference's rounding": () => pdqOf(flat),
  "PDQ, 12 MP, the seven other orientations": async () => {
    return hashEdits(wavy, { value: "0".repeat(64), quality: 100 });
  },
  "PDQ, a frame of 1920x1080": () => pdqOfLuma(reduceLuma(frame, 1920, 1080, 1920)),
};

/** The median milliseconds of each, of so many rounds in which they take turns. */
export async function all(rounds = 7) {
  const taken = Object.fromEntries(Object.keys(WORK).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, work] of Object.entries(WORK)) {
      const start = performance.now();
      await work();
      if (round > 0) taken[name].push(performance.now() - start);
    }
  }
  const median = (times) => times.sort((a, b) => a - b)[rounds >> 1].toFixed(1);
  return Object.fromEntries(Object.entries(taken).map(([name, times]) => [name, median(times)]));
}
