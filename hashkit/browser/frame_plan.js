// Which frames of a video are hashed, by which rule, and which coded frames have to be decoded for
// that: hashkit/pipeline/frame_hashing.py. It follows from the times of the frames alone.

import { FACTS } from "./data.js";
import { HashkitError } from "./errors.js";
import { frameStep, Sampler, StampChooser, Timeline } from "./sampling.js";
import { IS_HIDDEN, IS_KEY, isKeyframe } from "./tracks.js";

const SLIP = 0.01; // frames, from one that is counted to the next
const DECODE_ALL_FROM = 0.5; // part of the coded frames: if more are needed, all are decoded

/** @typedef {import("./containers.js").Container} Container */

/**
 * @typedef {object} FramePlan
 * @property {Int32Array} order the sample of each frame, in the order of display
 * @property {Float64Array} times of each frame, in seconds
 * @property {Map<string, number[]>} rules by the name of the reading, the numbers of its frames;
 *   `original` are those that hashkit takes
 * @property {number[] | null} numbers of the frames of `order`, where some are left out
 * @property {number} end where the last frame ends, in seconds
 * @property {boolean} isMended whether the clock was found to have changed
 */

/**
 * The samples that are shown, in the order of display.
 * @param {import("./tracks.js").SampleTable} samples
 * @returns {Int32Array}
 */
export function displayOrder({ count, flags, shown }) {
  const first = flags.subarray(0, count).findIndex(isKeyframe);
  const order = new Int32Array(count);
  let length = 0;
  for (let i = Math.max(first, 0); i < count; i++) if (!(flags[i] & IS_HIDDEN)) order[length++] = i;
  return order.subarray(0, length).sort((a, b) => shown[a] - shown[b] || a - b);
}

/**
 * @param {Container} container
 * @param {Int32Array} order the sample of each frame, in the order of display
 * @param {number | "all"} sample
 * @param {boolean} withReadings whether what other tools take is wanted, too
 * @returns {FramePlan}
 */
export function planOf(container, order, sample, withReadings) {
  const { track, rate, constantRate, start } = container;
  const interval = sample === "all" ? 0 : sample;
  const rules = new FrameRules(interval, rate, constantRate, withReadings && sample !== "all");
  const timeline = new Timeline(rate, FACTS.limits.maxSeconds);
  const stamps = new StampChooser();
  const times = new Float64Array(order.length);
  let end = 0;
  order.forEach((sampled, number) => {
    const stamp = stamps.choose(track.samples.shown[sampled], null);
    const duration = track.samples.durations[sampled] * track.tick;
    const timestamp = timeline.place(stamp === null ? null : stamp * track.tick - start, duration);
    if (timestamp > FACTS.limits.maxSeconds) throw new HashkitError("too_long");
    times[number] = timestamp;
    end = Math.max(end, timestamp + (duration || 1 / rate));
    rules.add({ number, timestamp, duration });
  });
  return { order, times, rules: rules.finish(), numbers: null, end, isMended: timeline.isMended };
}

/**
 * The plan for the frames that can be decoded on their own; and where they are more than a second
 * apart, further ones in between.
 * @param {Container} container
 * @returns {FramePlan}
 */
export function keyframePlan(container) {
  const { track, rate, start } = container;
  const { samples, tick } = track;
  const gap = FACTS.limits.keyframeGap;
  const timeline = new Timeline(rate, FACTS.limits.maxSeconds);
  /** @type {{order: number[], times: number[], numbers: number[]}} */
  const taken = { order: [], times: [], numbers: [] };
  let [end, last] = [0, -Infinity];
  for (const { key, shown, latest } of keyGroups(samples)) {
    const isLong = latest - samples.shown[key] >= gap / tick;
    for (const sample of isLong ? shown : [key]) {
      if (samples.flags[sample] & IS_HIDDEN) continue;
      const duration = samples.durations[sample] * tick;
      const timestamp = timeline.place(samples.shown[sample] * tick - start, duration);
      if (timestamp > FACTS.limits.maxSeconds) throw new HashkitError("too_long");
      end = Math.max(end, timestamp + (duration || 1 / rate));
      if (sample !== key && timestamp - last < gap * 0.999) continue;
      last = timestamp;
      const number = roundedToEven(timestamp * rate);
      if (number === taken.numbers[taken.numbers.length - 1]) continue; // each number once
      taken.order.push(sample);
      taken.times.push(timestamp);
      taken.numbers.push(number);
    }
    if (!isLong) timeline.passBy(latest * tick - start);
  }
  const { numbers } = taken;
  const rules = new Map([["original", [...numbers.keys()]]]);
  const order = Int32Array.from(taken.order);
  const times = Float64Array.from(taken.times);
  return { order, times, rules, numbers, end, isMended: timeline.isMended };
}

/**
 * Each keyframe with the samples up to the next one.
 * @param {import("./tracks.js").SampleTable} samples
 * @returns {Generator<{key: number, shown: number[], latest: number}>} `shown`: the samples in the
 *   order of display; `latest`: when the last of them is shown
 */
function* keyGroups({ count, flags, shown }) {
  for (let key = flags.findIndex(isKeyframe), next = 0; key >= 0 && key < count; key = next) {
    const group = [key];
    for (next = key + 1; next < count && !isKeyframe(flags[next]); next++) group.push(next);
    group.sort((a, b) => shown[a] - shown[b] || a - b);
    yield { key, shown: group, latest: shown[group[group.length - 1]] };
  }
}

/** As Python rounds. @param {number} value */
function roundedToEven(value) {
  const rounded = Math.round(value);
  return value % 1 === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}

/** The numbers of the frames that are taken by hashkit and by other tools. */
class FrameRules {
  /**
   * @param {number} interval in seconds, 0 for every frame
   * @param {number} rate frames a second, by which other tools count
   * @param {number | null} constantRate
   * @param {boolean} withReadings
   */
  constructor(interval, rate, constantRate, withReadings) {
    /** @type {[string, Sampler<import("./sampling.js").TimedFrame>, number[]][]} */
    this.samplers = [["original", new Sampler(interval, constantRate), []]];
    /** @type {number[]} */
    this.counted = [];
    this.every = withReadings ? frameStep(interval, rate) : 0;
    this.most = interval ? 2 * (FACTS.limits.maxSeconds / interval + 1) : 0;
    // 29 frames are not quite a second of 29.97 frames: counting falls behind the time.
    if (withReadings && constantRate !== null && interval * rate - this.every > SLIP) {
      this.samplers.push(["by-time", new Sampler(interval, null), []]);
    }
  }

  /** @param {import("./sampling.js").TimedFrame} frame */
  add(frame) {
    for (const [, sampler, taken] of this.samplers) {
      for (const each of sampler.take(frame)) taken.push(each.number);
    }
    if (this.every && frame.number % this.every === 0) this.counted.push(frame.number);
  }

  /** @returns {Map<string, number[]>} */
  finish() {
    for (const [, sampler, taken] of this.samplers) {
      for (const each of sampler.finish()) taken.push(each.number);
    }
    const rules = new Map(this.samplers.map(([name, , taken]) => [name, taken]));
    // Nothing of a file that says a rate far below its own, and would give any number.
    rules.set("by-frame-count", this.counted.length <= this.most ? this.counted : []);
    return rules;
  }
}

/**
 * Which samples to decode: from the last keyframe before each frame that is needed up to it. All of
 * them where that is most of them anyway: then damage anywhere is noticed.
 * @param {FramePlan} plan
 * @param {import("./tracks.js").SampleTable} samples
 * @returns {Uint8Array | null} 1 for each sample that is decoded; null for all of them
 */
export function neededSamples({ order, rules, numbers }, { count, flags, shown }) {
  const needed = new Uint8Array(count);
  const last = lastKeys(count, flags);
  let total = 0;
  for (const number of new Set([...rules.values()].flat())) {
    const sample = order[number];
    let key = last[sample];
    // Frames that are shown before the keyframe that they follow need the one before it, too.
    while (key > 0 && shown[key] > shown[sample]) key = last[key - 1];
    for (let i = sample; i >= Math.max(key, 0); i--) {
      total += needed[i] ? 0 : 1;
      needed[i] = 1;
    }
    if (!numbers && total >= DECODE_ALL_FROM * count) return null;
  }
  return needed;
}

/** Of each sample, the last keyframe up to it. @param {number} count @param {Uint8Array} flags */
function lastKeys(count, flags) {
  const last = new Int32Array(count);
  for (let i = 0, key = -1; i < count; i++) {
    if (flags[i] & IS_KEY) key = i;
    last[i] = key;
  }
  return last;
}
