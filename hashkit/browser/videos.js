// The PDQ hashes of the frames of a video (vPDQ): hashkit/pipeline/video_hashing.py.

import { unitsFit } from "./codecs.js";
import { hasGap, isCutShort } from "./completeness_videos.js";
import { openContainer } from "./containers.js";
import { FACTS } from "./data.js";
import { FrameDecoder } from "./decoding.js";
import { checkPixels, HashkitError, noticeOf, thousandths } from "./errors.js";
import { displayOrder, keyframePlan, neededSamples, planOf } from "./frame_plan.js";
import { hashOfPlane, lumaPlaneOf, notPlayable, turnNamed } from "./frames.js";
import { PDQ_TURNS } from "./pdq_luma.js";
import { IS_HIDDEN, isKeyframe } from "./tracks.js";
import { readingsApart } from "./variants.js";

const MAX_ROUNDS = 3;
const OTHERS_SLACK = 1; // seconds: by so much, the tracks of whole files differ

/** @typedef {import("./decoding.js").OpenVideo} OpenVideo */
/** @typedef {import("./frame_plan.js").FramePlan} FramePlan */
/** @typedef {import("./errors.js").Notice} Notice */
/** @typedef {import("./frames.js").PdqHash} PdqHash */
/** @typedef {{frame: number, timestamp: number, value: string, quality: number}} FrameHash */
/** @typedef {import("./variants.js").VpdqHash} FrameHashes */

/**
 * @typedef {object} FrameOptions
 * @property {number | "all" | "keyframes"} sample seconds between the frames that are hashed
 * @property {"none" | "readings" | "orientations"} variants
 * @property {(part: number) => void} [onProgress] given 0 to 1
 * @property {AbortSignal} [signal]
 */

/**
 * Hash the frames of a video. Raises MediaError's kin as Python does, and UnsupportedMedia for what
 * this browser cannot decode.
 * @param {import("./bytes.js").FileBytes} file
 * @param {string} format of `identify`
 * @param {FrameOptions} options
 * @returns {Promise<{frames: FrameHashes, variants: {name: string, vpdq: FrameHashes}[],
 *   notices: Notice[]}>}
 */
export async function hashFrames(file, format, options) {
  const isShort = await isCutShort(file, format);
  const video = await openContainer(file, format, options.signal);
  const { width, height } = video.track;
  if (width && height) checkPixels(width, height, FACTS.limits.maxFramePixels);
  const work = new FrameWork(file, video, options);
  const plan = await work.run();
  if (!plan.end) {
    if (work.failures && !work.seen && !isShort) throw notPlayable();
    throw new HashkitError("media_corrupt", FACTS.sentences.videoCorrupt);
  }
  const { frames, variants } = work.results(plan);
  const notices = damageNotices(video, plan, work.seen + work.failures > 0, isShort);
  const isVaried = variants.some((each) => each.name.startsWith("by-frame-count"));
  if (isVaried) notices.push(noticeOf("variable_rate"));
  return { frames, variants, notices };
}

/** @typedef {Pick<OpenVideo, "duration" | "ownLength" | "othersEnd" | "rate">} Lengths */

/** The work on one video. */
class FrameWork {
  /**
   * @param {import("./bytes.js").FileBytes} file
   * @param {OpenVideo} video
   * @param {FrameOptions} options
   */
  constructor(file, video, options) {
    this.file = file;
    this.video = video;
    this.options = options;
    this.seen = video.damaged; // how often the bytes make no sense
    this.failures = 0; // how often the decoder gave up, or left out a frame
    this.withReadings = options.variants !== "none";
    this.turn = turnNamed(video.track.turn);
    this.edits = options.variants === "orientations" ? Object.keys(PDQ_TURNS).slice(1) : [];
    /** @type {Map<number, Record<string, PdqHash>>} by sample, by turn */
    this.hashes = new Map();
    /** @type {number[]} the samples of the frames that came out */
    this.found = [];
  }

  /**
   * Decode and hash what is needed. Where not all frames come out that should, it is planned and,
   * where that changes what is needed, done again with those that do.
   * @returns {Promise<FramePlan>}
   */
  async run() {
    const { samples } = this.video.track;
    let order = displayOrder(samples);
    let plan = this.planFor(order);
    let needed = neededSamples(plan, samples);
    await this.decoder(new Set()).check();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const found = await this.decode(plan, needed, round);
      const isWhole = found.length === order.length && found.every((each, i) => each === order[i]);
      if (needed === null && !isWhole) {
        if (found.length < order.length) this.failures += 1;
        order = Int32Array.from(found);
        plan = this.planFor(order);
      }
      if (this.wantedOf(plan).every((sample) => this.hashes.has(sample))) break;
      if (!plan.numbers) needed = null;
    }
    return plan;
  }

  /** @param {Int32Array} order the sample of each frame, in the order of display */
  planFor(order) {
    const { sample } = this.options;
    if (sample === "keyframes") return keyframePlan(this.video);
    return planOf(this.video, order, sample, this.withReadings);
  }

  /** The samples of the frames that a plan takes. @param {FramePlan} plan */
  wantedOf({ rules, order }) {
    return [...new Set([...rules.values()].flat())].map((number) => order[number]);
  }

  /**
   * @param {FramePlan} plan
   * @param {Uint8Array | null} needed which samples to decode; null for all
   * @param {number} round after the first, each keyframe begins anew: what is damaged ends there
   * @returns {Promise<number[]>} the samples of the frames that came out and are shown, in order
   */
  async decode(plan, needed, round) {
    const { count, flags } = this.video.track.samples;
    const wanted = new Set(this.wantedOf(plan));
    const decoder = this.decoder(wanted);
    let shown = -1;
    /** @type {(sample: number, bytes: Uint8Array) => void} */
    const onBytes = (sample, bytes) => {
      if (round === 0) this.look(sample, bytes);
      const part = Math.floor((100 * sample) / count);
      if (part !== shown) this.options.onProgress?.(part / 100);
      shown = part;
    };
    this.found = [];
    const first = Math.max(0, flags.subarray(0, count).findIndex(isKeyframe));
    for (let start = first, end = count; start < count; start = end, end = count) {
      const next = round ? flags.subarray(start + 1, count).findIndex(isKeyframe) : -1;
      if (next !== -1) end = start + 1 + next;
      if (!(await decoder.decode(start, end, needed, onBytes))) {
        this.failures += 1;
        if (!round) break;
      }
    }
    return this.found;
  }

  /** @param {Set<number>} wanted samples of frames that are to be hashed */
  decoder(wanted) {
    const { flags } = this.video.track.samples;
    return new FrameDecoder(this.file, this.video, async (sample, frame) => {
      checkPixels(frame.codedWidth, frame.codedHeight, FACTS.limits.maxFramePixels);
      if (!(flags[sample] & IS_HIDDEN)) this.found.push(sample);
      if (wanted.has(sample) && !this.hashes.has(sample)) {
        this.hashes.set(sample, await this.hash(frame));
      }
    }, this.options.signal);
  }

  /** Look for damage in a coded frame. @param {number} sample @param {Uint8Array} bytes */
  look(sample, bytes) {
    const { width, height, samples, setup } = this.video.track;
    const { family } = this.video.coding;
    const isCut = bytes.length < samples.sizes[sample] || !unitsFit(bytes, family, setup);
    if (isCut || hasGap(bytes, family, width * height)) this.seen += 1;
  }

  /** @param {VideoFrame} frame @returns {Promise<Record<string, PdqHash>>} by the turn */
  async hash(frame) {
    const luma = await lumaPlaneOf(frame, this.video.coding);
    const turns = [this.turn, ...this.edits.map((each) => turnNamed(this.video.track.turn, each))];
    if (this.withReadings) turns.push("original");
    return Object.fromEntries([...new Set(turns)].map((turn) => [turn, hashOfPlane(luma, turn)]));
  }

  /**
   * @param {FramePlan} plan
   * @returns {{frames: FrameHashes, variants: {name: string, vpdq: FrameHashes}[]}}
   */
  results(plan) {
    const frames = this.listed(plan, "original", this.turn);
    const isTurned = this.turn !== "original";
    const others = [
      ...(isTurned ? [["as-stored", "original", "original"]] : []),
      ["by-frame-count", "by-frame-count", this.turn],
      ...(isTurned ? [["by-frame-count+as-stored", "by-frame-count", "original"]] : []),
      ["by-time", "by-time", this.turn],
    ].map(([name, rule, turn]) => ({ name, vpdq: this.listed(plan, rule, turn) }));
    const readings = this.withReadings ? readingsApart(others, frames) : [];
    const edits = this.edits.map((name) => {
      const turn = turnNamed(this.video.track.turn, name);
      return { name, vpdq: this.listed(plan, "original", turn) };
    });
    return { frames, variants: [...readings, ...edits.filter((each) => each.vpdq.frames.length)] };
  }

  /**
   * The hashes of the frames that a rule takes.
   * @param {FramePlan} plan
   * @param {string} rule
   * @param {string} turn
   * @returns {FrameHashes}
   */
  listed({ rules, order, times, numbers }, rule, turn) {
    /** @type {FrameHash[]} */
    const frames = [];
    for (const number of rules.get(rule) ?? []) {
      const found = this.hashes.get(order[number]);
      const timestamp = Number(thousandths(times[number]));
      const frame = numbers?.[number] ?? number;
      if (found) frames.push({ frame, timestamp, ...found[turn] });
    }
    return { interval: this.options.sample, frames };
  }
}

/**
 * A notice about the part that could not be read, if any.
 * @param {Lengths} video
 * @param {{end: number, isMended: boolean}} plan
 * @param {boolean} isDamaged
 * @param {boolean} isShort whether the file is cut short
 * @returns {Notice[]}
 */
export function damageNotices(video, { end, isMended }, isDamaged, isShort) {
  const whole = isMended ? null : expectedEnd(video);
  const slack = Math.max(1, 3 / video.rate); // sound often lasts a little longer than the picture
  const isEarly = whole !== null && end < whole - slack;
  const isToTheEnd = whole !== null && end >= whole - 0.5 / video.rate;
  if (!isEarly && !isDamaged && !isShort) return [];
  const code = isEarly || (isShort && !isToTheEnd) ? "video_truncated" : "video_damaged";
  return [noticeOf(code, { start: 0, end, whole })];
}

/**
 * When the pictures should end, in seconds; null where nothing credible says it.
 * @param {Lengths} video
 */
function expectedEnd({ duration, ownLength, othersEnd }) {
  const credible = (/** @type {number | null} */ length) =>
    length !== null && length <= FACTS.limits.maxSeconds ? length : null;
  const own = credible(ownLength);
  const whole = own ?? credible(duration);
  // Where the sound lasts as long as the file, it is whole.
  const others = own === null ? othersEnd : 0;
  return whole !== null && others >= whole - OTHERS_SLACK ? null : whole;
}
