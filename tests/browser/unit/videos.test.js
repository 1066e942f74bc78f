// What is decoded of a video, and what is said of its damage. Expected values are worked out by
// hand from hashkit/media/videos.py and hashkit/pipeline/video_hashing.py.

import assert from "node:assert/strict";
import { test } from "node:test";

const browser = "../../../hashkit/browser";
const { noticeOf } = await import(`${browser}/errors.js`);
const { neededSamples } = await import(`${browser}/frame_plan.js`);
const { turnNamed } = await import(`${browser}/frames.js`);
const { PDQ_TURNS } = await import(`${browser}/pdq_luma.js`);
const { IS_KEY, isKeyframe, reducedFraction, SampleTable, shownTrack, standardRate } =
  await import(`${browser}/tracks.js`);
const { damageNotices } = await import(`${browser}/videos.js`);

/** Samples in the order of decoding: when each is shown, and whether it is a keyframe. */
function samplesOf(...shown) {
  const samples = new SampleTable();
  shown.forEach((each) => {
    const isKey = typeof each === "string";
    samples.push(0, 1, Number(each), 0, 1, isKey ? IS_KEY : 0);
  });
  return samples;
}

function neededFor(samples, ...frames) {
  const order = Int32Array.from(samples.shown.slice(0, samples.count).keys());
  order.sort((a, b) => samples.shown[a] - samples.shown[b]);
  const plan = { order, rules: new Map([["original", frames]]), numbers: null };
  const needed = neededSamples(plan, samples);
  return needed && [...needed.slice(0, samples.count)].join("");
}

test("a frame needs what is decoded since the keyframe before it", () => {
  const samples = samplesOf("0", 1, 2, 3, "4", 5, 6, 7, "8", 9, 10, 11);
  assert.equal(neededFor(samples, 0), "100000000000");
  assert.equal(neededFor(samples, 6), "000011100000");
  assert.equal(neededFor(samples, 0, 5, 8), "100011001000");
});

test("a frame that is shown before the keyframe that it follows needs the one before, too", () => {
  const samples = samplesOf("0", 1, 2, 3, "7", 4, 5, 6, "8", 9, 10, 11, 12, 13, 14, 15, 16, 17);
  assert.equal(neededFor(samples, 5), "111111100000000000");
  assert.equal(neededFor(samples, 7), "000010000000000000");
});

test("where most is needed, all is decoded", () => {
  const samples = samplesOf("0", 1, 2, 3, "4", 5, 6, 7);
  assert.equal(neededFor(samples, 2), "11100000");
  assert.equal(neededFor(samples, 3), null);
});

const FILM = { duration: 10, ownLength: 10, othersEnd: 0, rate: 25 };
const said = (changes, end, isDamaged, isShort, isMended = false) =>
  damageNotices({ ...FILM, ...changes }, { end, isMended }, isDamaged, isShort);

test("a whole video gets no notice", () => {
  assert.deepEqual(said({}, 10, false, false), []);
  assert.deepEqual(said({}, 9.01, false, false), []);
});

test("a video that ends too early is cut short, unless its sound goes on and says the length", () => {
  const cut = [noticeOf("video_truncated", { end: 8.9, whole: 10 })];
  assert.deepEqual(said({}, 8.9, false, false), cut);
  assert.deepEqual(said({ othersEnd: 9.5 }, 8.9, false, false), cut);
  assert.deepEqual(said({ ownLength: null, othersEnd: 8.9 }, 8.9, false, false), cut);
  assert.deepEqual(said({ ownLength: null, othersEnd: 9 }, 8.9, false, false), []);
  assert.deepEqual(said({}, 8.9, false, false, true), []);
  const slow = [noticeOf("video_truncated", { end: 6.9, whole: 10 })];
  assert.deepEqual(said({ rate: 1 }, 6.9, false, false), slow);
  assert.deepEqual(said({ rate: 1 }, 7.1, false, false), []);
});

test("lengths of more than a day, and of no more than a second, say nothing", () => {
  const alone = [noticeOf("video_truncated", { end: 5 })];
  assert.deepEqual(said({ duration: 1e5, ownLength: 1e5 }, 5, false, true), alone);
  assert.deepEqual(said({ duration: 1, ownLength: 1 }, 5, false, true), alone);
  assert.deepEqual(said({ duration: 1, ownLength: 1 }, 0.1, false, false), []);
});

test("a file that is cut short has gaps if the last frame is there", () => {
  const damaged = (end) => [noticeOf("video_damaged", { end, whole: 10 })];
  const cut = (end) => [noticeOf("video_truncated", { end, whole: 10 })];
  assert.deepEqual(said({}, 9.98, false, true), damaged(9.98));
  assert.deepEqual(said({}, 9.97, false, true), cut(9.97));
  assert.deepEqual(said({}, 9.97, true, false), damaged(9.97));
});

test("turns follow each other", () => {
  const turn = { swap: true, mirror: true, flip: false }; // a quarter to the right
  const names = Object.keys(PDQ_TURNS);
  assert.equal(turnNamed(turn), "rotated-270");
  assert.equal(turnNamed(turn, "rotated-90"), "original");
  assert.equal(turnNamed(turn, "rotated-180"), "rotated-90");
  assert.equal(turnNamed(turn, "mirrored"), "transposed");
  assert.deepEqual(names.map((name) => turnNamed({ swap: false, mirror: false, flip: false }, name)), names);
  assert.equal(new Set(names.map((name) => turnNamed(turn, name))).size, 8);
});

test("the track that players show", () => {
  const track = { isDefault: true, length: 10, width: 64, height: 64 };
  const chosen = (...changes) => {
    const tracks = changes.map((each) => ({ ...track, ...each }));
    return tracks.indexOf(shownTrack(tracks));
  };
  assert.equal(chosen({}, {}), 0);
  assert.equal(chosen({ isDefault: false, width: 999 }, {}), 1);
  assert.equal(chosen({ length: 4.9, width: 999 }, {}), 1);
  assert.equal(chosen({ length: 5, width: 99 }, {}), 0);
  assert.equal(chosen({ length: null, width: 99 }, {}), 0);
  assert.equal(chosen({}, { height: 65 }), 1);
  assert.throws(() => shownTrack([]), { code: "no_video" });
});

test("rates as libavutil reduces and rounds them", () => {
  assert.equal(reducedFraction(1e9, 41708333, 30000), 24000 / 1001);
  assert.equal(reducedFraction(1e9, 33366667, 30000), 30000 / 1001);
  assert.equal(reducedFraction(1e9, 40000000, 30000), 25);
  assert.equal(standardRate(29.9), 29.91666666666666666);
  assert.equal(standardRate(1234.5), 1234.5);
  assert.ok(isKeyframe(IS_KEY) && !isKeyframe(2));
});
