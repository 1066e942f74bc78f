// When each frame is shown, and which frames are hashed: hashkit/media/timeline.py and
// hashkit/media/sampling.py, to the number.

/** Seconds: further back than this is a new clock; less may be frames in a wrong order. */
const BACK = 1;
const ROUNDED_TIME = 1e-5; // seconds: a file's beginning is known in microseconds
const MAX_FRAMES_LONG = 4; // longer durations are misreported

/**
 * Chooses between the two stamps of a frame: when it is shown, and when it was decoded. The kind
 * that has been out of order less often.
 */
export class StampChooser {
  constructor() {
    /** @type {number | null} */
    this.lastShown = null;
    /** @type {number | null} */
    this.lastDecoded = null;
    this.faultsShown = 0;
    this.faultsDecoded = 0;
  }

  /**
   * @param {number | null} shown
   * @param {number | null} decoded in the same unit
   * @returns {number | null} the stamp of the next frame to go by
   */
  choose(shown, decoded) {
    if (decoded !== null) {
      this.faultsDecoded += this.lastDecoded !== null && decoded <= this.lastDecoded ? 1 : 0;
      this.lastDecoded = decoded;
    }
    if (shown !== null) {
      this.faultsShown += this.lastShown !== null && shown <= this.lastShown ? 1 : 0;
      this.lastShown = shown;
    }
    const isDecodedBetter = decoded !== null && this.faultsShown > this.faultsDecoded;
    return shown === null || isDecodedBetter ? decoded : shown;
  }
}

/** Gives each frame its time in seconds, in the order of display: later than the one before. */
export class Timeline {
  /**
   * @param {number} rate frames a second, on average
   * @param {number} maxGap seconds: a stamp that is later than this is of a new clock
   * @param {number} [back] seconds: a stamp that is earlier than this is
   */
  constructor(rate, maxGap, back = BACK) {
    this.isMended = false;
    this.usual = 1 / rate;
    this.maxGap = maxGap;
    this.back = back;
    this.offset = 0;
    /** @type {number | null} */
    this.last = null;
    this.step = this.usual;
  }

  /**
   * @param {number | null} stamp in seconds
   * @param {number} [duration] in seconds, 0 where the file does not say
   * @returns {number} the time of the next frame
   */
  place(stamp, duration = 0) {
    const expected = this.last === null ? 0 : this.last + this.step;
    const time = stamp === null ? expected : this.mended(stamp, expected);
    this.step = this.stepAfter(time, duration);
    this.last = time;
    return time;
  }

  /**
   * Frames up to this stamp follow the last one, and are not placed themselves.
   * @param {number} stamp
   */
  passBy(stamp) {
    const time = stamp + this.offset;
    if (this.last !== null && 0 < time - this.last && time - this.last <= this.maxGap) {
      this.last = time;
    }
  }

  /** @param {number} stamp @param {number} expected @returns {number} */
  mended(stamp, expected) {
    const time = stamp + this.offset;
    if (time - expected > this.maxGap) return this.withNewClock(stamp, expected);
    if (this.last === null) {
      if (time < -ROUNDED_TIME) this.offset = -stamp;
      return Math.max(0, stamp + this.offset);
    }
    if (time > this.last) return time;
    if (this.last - time > this.back) return this.withNewClock(stamp, expected);
    return expected; // and the stamps may get ahead again
  }

  /** @param {number} stamp @param {number} expected */
  withNewClock(stamp, expected) {
    this.isMended = true;
    this.offset = expected - stamp;
    return expected;
  }

  /**
   * How much later a frame without a usable stamp comes.
   * @param {number} time
   * @param {number} duration
   */
  stepAfter(time, duration) {
    const least = this.usual / 1000;
    if (least <= duration && duration <= MAX_FRAMES_LONG * this.usual) return duration;
    const since = this.last === null ? this.usual : time - this.last;
    return Math.min(Math.max(since, least), this.usual);
  }
}

const DRIFT = 1.5; // frames: further off, a video has no constant rate, whatever its header says
const SAME_TIME = 1e-6; // seconds

/** @typedef {{number: number, timestamp: number, duration: number}} TimedFrame */

/**
 * Decides which frames are hashed: give it each in turn. At a constant rate, every so many; at a
 * variable one, for each time to be sampled the frame that players show then, which is known when
 * the next one comes.
 * @template {TimedFrame} T
 */
export class Sampler {
  /**
   * @param {number} interval in seconds, 0 for every frame
   * @param {number | null} constantRate frames a second, null where it varies
   */
  constructor(interval, constantRate) {
    this.interval = interval;
    this.rate = constantRate;
    this.every = frameStep(interval, constantRate || 0);
    /** @type {number | null} */
    this.first = null;
    this.due = 0;
    /** @type {T | null} */
    this.waiting = null;
  }

  /** Whether it goes by the numbers of frames, and not by their times. */
  get counts() {
    return this.rate !== null;
  }

  /**
   * @param {T} frame the next one
   * @returns {T[]} those that are to be hashed, as far as is known now, in order
   */
  take(frame) {
    this.first ??= frame.timestamp;
    if (this.rate !== null && this.drifts(frame, this.first, this.rate)) {
      this.rate = null;
      if (this.waiting !== null) {
        this.due = Math.max(this.due, this.nextAfter(this.waiting.timestamp - SAME_TIME));
      }
    }
    const isCounted = this.rate !== null && frame.number % this.every === 0;
    if (!this.interval || isCounted) return this.taken(frame);
    if (this.rate !== null) {
      this.waiting = frame;
      return [];
    }
    if (frame.number === 0) return this.taken(frame);
    const shown = this.shownUntil(frame.timestamp);
    this.waiting = frame;
    return shown;
  }

  /** @returns {T[]} what is to be hashed of the last frame, when there are no more */
  finish() {
    const last = this.waiting;
    if (last === null || this.rate !== null) return [];
    return this.shownUntil(last.timestamp + Math.max(last.duration, 2 * SAME_TIME));
  }

  /** @param {T} frame @param {number} first @param {number} rate */
  drifts(frame, first, rate) {
    return Math.abs(frame.timestamp - first - frame.number / rate) > DRIFT / rate;
  }

  /** @param {T} frame */
  taken(frame) {
    this.waiting = null;
    this.due = this.nextAfter(frame.timestamp);
    return [frame];
  }

  /** @param {number} end @returns {T[]} */
  shownUntil(end) {
    if (end - this.due <= SAME_TIME) return [];
    const shown = this.waiting;
    this.waiting = null;
    this.due = this.nextAfter(end - 2 * SAME_TIME);
    return shown === null ? [] : [shown];
  }

  /** The first time to be sampled that is later than this. @param {number} timestamp */
  nextAfter(timestamp) {
    return this.interval ? (floorDivided(timestamp, this.interval) + 1) * this.interval : 0;
  }
}

/**
 * Python's ``a // b`` of decimal numbers: by the exact remainder, not by the rounded quotient.
 * @param {number} a
 * @param {number} b above 0
 */
function floorDivided(a, b) {
  let rest = a % b;
  let quotient = (a - rest) / b;
  if (rest < 0) {
    rest += b;
    quotient -= 1;
  }
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

/**
 * Every how many frames the vPDQ reference takes one: it counts them, whatever their times.
 * @param {number} interval in seconds
 * @param {number} rate frames a second
 */
export function frameStep(interval, rate) {
  return Math.max(1, Math.trunc(interval * rate));
}
