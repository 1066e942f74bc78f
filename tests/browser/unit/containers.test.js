// Files of videos that were changed at random, or claim what they do not have: nothing but the
// engine's own errors, and no more samples than there are bytes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const browser = "../../../hashkit/browser";
const { FileBytes } = await import(`${browser}/bytes.js`);
const { openContainer } = await import(`${browser}/containers.js`);
const { HashkitError } = await import(`${browser}/errors.js`);
const { displayOrder, keyframePlan, neededSamples, planOf } =
  await import(`${browser}/frame_plan.js`);

const SAMPLES = new URL("../../../samples_synthetic/", import.meta.url);

/** Numbers that look random, and are the same every time. */
function randomNumbers(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

async function open(bytes, format) {
  const file = new FileBytes(new Blob([bytes]));
  try {
    const container = await openContainer(file, format);
    assert.ok(container.track.samples.count <= bytes.length);
    const order = displayOrder(container.track.samples);
    const plan = planOf(container, order, 1, true);
    neededSamples(plan, container.track.samples);
    keyframePlan(container);
    return true;
  } catch (error) {
    assert.ok(error instanceof HashkitError, error.stack);
    return false;
  }
}

const FILES = [
  ["film-h264.mp4", "mp4"],
  ["film-variable-rate.mp4", "mp4"],
  ["film-trimmed.mkv", "matroska"],
  ["film-reencoded.webm", "matroska"],
];

for (const [name, format] of FILES) {
  const whole = new Uint8Array(readFileSync(new URL(name, SAMPLES)));
  // Where the lists of frames are, and not their content.
  const isMp4 = format === "mp4";
  const header = isMp4 ? Buffer.from(whole).indexOf("moov") : 0;
  const length = isMp4 ? whole.length - header : 4096;

  test(`${name} changed at random`, async () => {
    const random = randomNumbers(name.length);
    let opened = 0;
    for (let round = 0; round < 300; round++) {
      const bytes = whole.slice();
      for (let left = 1 + random(6); left > 0; left--) {
        const place = header + random(Math.min(length, whole.length - header));
        bytes[place] = [0, 255, 127, 128, 1, random(256)][random(6)];
      }
      opened += Number(await open(bytes, format));
    }
    assert.ok(opened > 100 && opened < 300, String(opened));
  });

  test(`${name} cut short anywhere`, async () => {
    for (let end = 0; end < whole.length; end += Math.ceil(whole.length / 60)) {
      await open(whole.slice(0, end), format);
    }
  });
}

const bytesOfNumber = (value, width) =>
  Array.from({ length: width }, (_, i) => Math.floor(value / 256 ** (width - 1 - i)) % 256);

/** A box of MP4; `parts` are numbers of four bytes, texts, lists of bytes, and boxes. */
function box(name, ...parts) {
  const content = parts.flatMap((each) => {
    if (typeof each === "number") return bytesOfNumber(each, 4);
    return typeof each === "string" ? [...Buffer.from(each, "latin1")] : [...each];
  });
  return [...bytesOfNumber(content.length + 8, 4), ...Buffer.from(name), ...content];
}

function movieOf(sampleTables, ...more) {
  const track = box("trak",
    box("tkhd", 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000, 0, 0),
    box("mdia",
      box("mdhd", 0, 0, 0, 1000, 1000, 0),
      box("hdlr", 0, 0, "vide", 0, 0, 0),
      box("minf", box("stbl",
        box("stsd", 0, 1, box("vp09", Array(24).fill(0), [0, 64, 0, 64], Array(50).fill(0))),
        ...sampleTables))));
  const head = box("mvhd", 0, 0, 0, 1000, 1000, Array(80).fill(0));
  return Uint8Array.from([
    ...box("ftyp", "isom"), ...box("moov", head, track, ...more), ...box("mdat", Array(64).fill(9)),
  ]);
}

const MANY = 0xffffffff;

test("samples that the file has no bytes for are not counted", async () => {
  const movie = movieOf([
    box("stts", 0, 1, MANY, 1),
    box("stsz", 0, 1, MANY),
    box("stsc", 0, 1, 1, MANY, 1),
    box("stco", 0, 1, 40),
  ]);
  assert.equal(await open(movie, "mp4"), false); // and nothing in it is a frame of VP9
});

test("a run of a fragment that claims any number of samples ends with the file", async () => {
  const extension = box("mvex", box("trex", 0, 1, 1, 1, 1, 0));
  const run = box("traf", box("tfhd", 0, 1), box("trun", 0, MANY));
  const bytes = Uint8Array.from([...movieOf([], extension), ...box("moof", run)]);
  assert.equal(await open(bytes, "mp4"), false);
});

test("a number of a million bytes is none", async () => {
  const header = [0x1a, 0x45, 0xdf, 0xa3, 0x80, 0x18, 0x53, 0x80, 0x67, 0x01, ...Array(7).fill(255)];
  const time = [0x1f, 0x43, 0xb6, 0x75, 0x01, ...Array(7).fill(255), 0xe7, 0x2f, 0x42, 0x40];
  const bytes = Uint8Array.from([...header, ...time, ...Array(1_000_000).fill(255)]);
  assert.equal(await open(bytes, "matroska"), false);
});

test("reading can be ended", async () => {
  const bytes = readFileSync(new URL("film-trimmed.mkv", SAMPLES));
  const file = new FileBytes(new Blob([bytes]));
  for (const format of ["matroska", "mp4"]) {
    const reason = new Error("enough");
    await assert.rejects(openContainer(file, format, AbortSignal.abort(reason)), reason);
  }
});
