// Decodes the frames of a video with WebCodecs, a few at a time.

import { frameBytes } from "./containers.js";
import { notPlayable } from "./errors.js";
import { IS_KEY } from "./tracks.js";

const MAX_QUEUED = 8; // coded frames that wait in the decoder
const POLL = 50; // milliseconds: not all browsers say when there is room again

/** @typedef {import("./codecs.js").Coding} Coding */
/** @typedef {import("./containers.js").Container & {coding: Coding}} OpenVideo */

/**
 * Takes a frame with the number of its sample. The frame is closed when it returns.
 * @callback OnFrame
 * @param {number} sample
 * @param {VideoFrame} frame
 * @returns {Promise<void>}
 */

/** A decoder that is fed with the samples of a file. */
export class FrameDecoder {
  /**
   * @param {import("./bytes.js").FileBytes} file
   * @param {OpenVideo} video
   * @param {OnFrame} onFrame
   * @param {AbortSignal | undefined} signal
   */
  constructor(file, video, onFrame, signal) {
    this.file = file;
    this.video = video;
    this.onFrame = onFrame;
    this.signal = signal;
    /** @type {VideoFrame[]} */
    this.ready = [];
    /** @type {Map<number, number[]>} samples that are being decoded, by time stamp */
    this.fed = new Map();
    const { shown, count } = video.track.samples;
    this.least = shown.subarray(0, count).reduce((least, each) => Math.min(least, each), Infinity);
    /** @type {unknown} */
    this.failure = null;
    this.wake = () => {};
    /** @type {VideoDecoder | null} */
    this.decoder = null;
  }

  /** @returns {VideoDecoderConfig} */
  get config() {
    const { coding, track } = this.video;
    const isDescribed = /^(avc|hvc)/.test(coding.name) && track.setup;
    return { codec: coding.name, ...(isDescribed ? { description: track.setup } : {}) };
  }

  /** Raise UnsupportedMedia where this browser cannot decode the video. */
  async check() {
    if (typeof VideoDecoder === "undefined") throw notPlayable();
    const answer = await VideoDecoder.isConfigSupported(this.config).catch(() => null);
    if (!answer?.supported) throw notPlayable();
  }

  /**
   * Decode samples up to `end`, beginning with a keyframe.
   * @param {number} start
   * @param {number} end
   * @param {Uint8Array | null} needed which of them; null for all
   * @param {(sample: number, bytes: Uint8Array) => void} onBytes
   * @returns {Promise<boolean>} false if the decoder has given up
   */
  async decode(start, end, needed, onBytes) {
    this.failure = null;
    try {
      for (let i = start; i < end && !this.failure; i++) {
        const bytes = await frameBytes(this.file, this.video, i);
        onBytes(i, bytes);
        if (!needed || needed[i]) await this.feed(i, bytes);
      }
      if (!this.failure) await this.drain();
    } finally {
      this.close();
    }
    return this.failure === null;
  }

  /** @param {number} sample @param {Uint8Array} data */
  async feed(sample, data) {
    await this.room(MAX_QUEUED);
    if (this.failure || !data.length) return;
    const { samples, tick } = this.video.track;
    const timestamp = Math.round((samples.shown[sample] - this.least) * tick * 1e6);
    const type = samples.flags[sample] & IS_KEY || !this.decoder ? "key" : "delta";
    this.fed.set(timestamp, [...(this.fed.get(timestamp) ?? []), sample]);
    try {
      this.decoder ??= this.opened();
      this.decoder.decode(new EncodedVideoChunk({ type, timestamp, data }));
    } catch (error) {
      this.failure ??= error;
    }
  }

  opened() {
    const decoder = new VideoDecoder({
      output: (frame) => {
        this.ready.push(frame);
        this.wake();
      },
      error: (error) => {
        this.failure ??= error;
        this.wake();
      },
    });
    decoder.ondequeue = () => this.wake();
    decoder.configure(this.config);
    return decoder;
  }

  /** Take what is decoded, until the decoder has room again. @param {number} most */
  async room(most) {
    for (;;) {
      this.signal?.throwIfAborted();
      const frame = this.ready.shift();
      if (frame) {
        await this.take(frame);
      } else if (this.failure || !this.decoder || this.decoder.decodeQueueSize < most) {
        return;
      } else {
        await this.change();
      }
    }
  }

  /** Something has happened, or may have. */
  change() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL);
      this.wake = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
    });
  }

  /** @param {VideoFrame} frame */
  async take(frame) {
    try {
      const sample = this.fed.get(frame.timestamp)?.shift();
      if (sample === undefined) throw notPlayable(); // it is not known which frame this is
      if (!this.fed.get(frame.timestamp)?.length) this.fed.delete(frame.timestamp);
      await this.onFrame(sample, frame);
    } finally {
      frame.close();
    }
  }

  /** Take what the decoder still holds. */
  async drain() {
    let isFlushed = this.decoder === null;
    this.decoder?.flush().then(
      () => {
        isFlushed = true;
        this.wake();
      },
      (error) => {
        this.failure ??= error;
        this.wake();
      },
    );
    while (!(isFlushed || this.failure) || this.ready.length) {
      await this.room(Infinity);
      if (!(isFlushed || this.failure) && !this.ready.length) await this.change();
    }
  }

  close() {
    for (const frame of this.ready.splice(0)) frame.close();
    if (this.decoder && this.decoder.state !== "closed") this.decoder.close();
    this.decoder = null;
    this.fed.clear();
  }
}
