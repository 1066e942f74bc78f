// Hashes pictures with the engine's PDQ: node pdq_in_node.js < pictures > answers.
// A picture: width, height, rows of a band and what is wanted besides (1: orientations by the DCT,
// 2: by a small copy, 4: planes turned), each 32 bits with the low byte first, then 4 bytes a
// pixel. The answers are a JSON list.

import { readFileSync } from "node:fs";

import { orientationsOf, pdqOf, pdqOfLuma, reduceLuma } from "../../hashkit/browser/pdq.js";
import { PDQ_TURNS } from "../../hashkit/browser/pdq_luma.js";
import { hashEdits } from "../../hashkit/browser/variants.js";

const HEADER = 16;

function pictureOf(bytes, width, height, band) {
  return {
    width,
    height,
    reads: 0,
    async *bands() {
      this.reads++;
      for (let row = 0; row < height; row += band) {
        const rows = Math.min(band, height - row);
        const end = 4 * (row + rows) * width;
        yield { data: new Uint8ClampedArray(bytes.subarray(4 * row * width, end)), rows };
      }
    },
  };
}

function planeOfFirstChannel(bytes, width, height) {
  const stride = width + 3; // as decoders have it: a row has more bytes than are shown
  const plane = new Uint8Array(stride * height).fill(99);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) plane[y * stride + x] = bytes[4 * (y * width + x)];
  }
  return (turn) => reduceLuma(plane, width, height, stride, turn);
}

async function answerTo(bytes, [width, height, band, wanted]) {
  const picture = pictureOf(bytes, width, height, band);
  const orientations = (wanted & 1) !== 0;
  const { value, quality, coefficients } = await pdqOf(picture, { orientations });
  const { reads } = picture;
  const reduced = planeOfFirstChannel(bytes, width, height);
  const luma = reduced();
  const turns = wanted & 4 ? Object.keys(PDQ_TURNS) : [];
  return {
    value,
    quality,
    reads,
    orientations: orientations ? orientationsOf(coefficients) : [],
    turned: wanted & 2 ? await hashEdits(picture, { value, quality }) : [],
    planes: Object.fromEntries(turns.map((name) => [name, [...reduced(name)]])),
    plane: { ...pdqOfLuma(luma), luma: [...luma] },
  };
}

const input = readFileSync(0);
const answers = [];
for (let place = 0; place < input.length; ) {
  const header = [0, 4, 8, 12].map((offset) => input.readUInt32LE(place + offset));
  const end = place + HEADER + 4 * header[0] * header[1];
  answers.push(await answerTo(input.subarray(place + HEADER, end), header));
  place = end;
}
process.stdout.write(JSON.stringify(answers));
