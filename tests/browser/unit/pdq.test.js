// PDQ: the pictures and hashes of the conformance kit, which are the reference's (pdqhash).
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bitsApart,
  orientationsOf,
  pdqDistance,
  pdqOf,
  pdqOfLuma,
  pdqWords,
  reduceLuma,
} from "../../../hashkit/browser/pdq.js";
import { casesOf, contentOf, pictureOf, rgbaPicture } from "./kit.js";

const GREY = "kit/pictures/large-520x516.pgm";
const FLAT = "kit/pictures/flat-80x100.ppm";

test("the hashes of the conformance kit, with the reference's own rounding", async () => {
  for (const { name, ask, expect } of casesOf("pdq")) {
    const { value, quality } = await pdqOf(pictureOf(ask.file));
    assert.deepEqual({ value, quality }, { value: expect.hash, quality: expect.quality }, name);
  }
});

test("orientations of the conformance kit", async () => {
  for (const { name, ask, expect } of casesOf("pdq_orientations")) {
    const { coefficients } = await pdqOf(pictureOf(ask.file), { orientations: true });
    const found = orientationsOf(coefficients).map((each) => [each.name, each.value]);
    assert.deepEqual(found, Object.entries(expect), name);
  }
});

test("distances of the conformance kit", () => {
  for (const { name, ask, expect } of casesOf("pdq_compare")) {
    assert.equal(pdqDistance(ask.first.hash, ask.second.hash), expect.distance, name);
  }
  assert.equal(pdqDistance("0".repeat(64), "f".repeat(64)), 256);
  for (let bit = 0; bit < 256; bit++) {
    const one = (1n << BigInt(bit)).toString(16).padStart(64, "0");
    assert.equal(pdqDistance(one, "0".repeat(64)), 1);
  }
});

test("counting bits ends no sooner than there are too many", () => {
  const zero = pdqWords("0".repeat(64));
  for (let place = 0; place < 60; place++) {
    const sixteen = "0".repeat(place) + "ffff";
    assert.equal(bitsApart(pdqWords(sixteen.padEnd(64, "0")), zero, 16), 16);
    assert.ok(bitsApart(pdqWords(sixteen.padEnd(63, "0") + "1"), zero, 16) > 16);
  }
});

test("it does not matter how many rows come at a time", async () => {
  for (const file of [GREY, FLAT]) {
    const whole = await pdqOf(pictureOf(file, 1000));
    for (const band of [1, 2, 7, 99]) assert.deepEqual(await pdqOf(pictureOf(file, band)), whole);
  }
});

test("pixels are read twice only where rounding decides", async () => {
  for (const [file, read] of [[GREY, 1], [FLAT, 2]]) {
    const picture = pictureOf(file);
    await pdqOf(picture);
    assert.equal(picture.read, read, file);
  }
});

test("there is no hash of a part of a picture", async () => {
  const data = new Uint8Array(4 * 90 * 70);
  const part = (rows, bytes) => {
    return async function* () {
      yield { data: data.subarray(0, bytes), rows };
    };
  };
  const picture = rgbaPicture(data, 90, 70, 70);
  await pdqOf(picture);
  for (const bands of [part(69, 4 * 90 * 69), part(70, 4 * 90 * 69), part(71, 4 * 90 * 70)]) {
    await assert.rejects(pdqOf({ ...picture, bands }), RangeError);
  }
  const tooMuch = async function* () {
    yield* picture.bands();
    yield { data: data.subarray(0, 360), rows: 1 };
  };
  await assert.rejects(pdqOf({ ...picture, bands: tooMuch }), RangeError);
});

test("the fourth byte does not count", async () => {
  const data = new Uint8ClampedArray(4 * 90 * 70).map((_, i) => (i * i) % 251);
  const opaque = data.map((value, i) => (i % 4 === 3 ? 255 : value));
  const [found, wanted] = [data, opaque].map((each) => pdqOf(rgbaPicture(each, 90, 70, 9)));
  assert.deepEqual(await found, await wanted);
});

test("pictures with a side under 5 have the hash zero", async () => {
  const zero = "0".repeat(64);
  for (const [width, height] of [[4, 100], [100, 4], [1, 1]]) {
    const data = new Uint8Array(4 * width * height).map((_, i) => i * 37);
    const { value, quality, coefficients } = await pdqOf(rgbaPicture(data, width, height, 9));
    assert.deepEqual([value, quality], [zero, 0]);
    assert.ok(orientationsOf(coefficients).every((each) => each.value === zero));
  }
});

test("the luma of the conformance kit, of a plane whose rows have a rest", () => {
  for (const { name, ask, expect, ties } of casesOf("pdq")) {
    const { colours, width, height, pixels } = contentOf(ask.file);
    if (colours !== 1 || !expect.luma) continue;
    const stride = width + 5;
    const plane = new Uint8Array(stride * height).fill(200);
    for (let row = 0; row < height; row++) {
      plane.set(pixels.subarray(row * width, (row + 1) * width), row * stride);
    }
    const luma = reduceLuma(plane, width, height, stride);
    const near = (place, value) => assert.ok(Math.abs(luma[place] - value) < 0.02, name);
    expect.luma.row_0.forEach((value, i) => near(i, value));
    expect.luma.column_63.forEach((value, i) => near(64 * i + 63, value));
    expect.luma.diagonal.forEach((value, i) => near(65 * i, value));
    if (!ties) {
      assert.deepEqual(pdqOfLuma(luma), { value: expect.hash, quality: expect.quality }, name);
    }
  }
});

test("no constant of the DCT depends on the last bits of a browser's cosine", () => {
  for (let row = 1; row <= 16; row++) {
    for (let column = 0; column < 64; column++) {
      const angle = (Math.PI / 128) * row * (2 * column + 1);
      const exact = Math.fround(Math.sqrt(2 / 64)) * Math.cos(angle);
      const rounded = Math.fround(exact);
      for (const slip of [-8, 8]) assert.equal(Math.fround(exact * (1 + slip * 2 ** -53)), rounded);
    }
  }
});
