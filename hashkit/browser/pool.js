// Module Workers that take turns, each with one file at a time. A Worker that crashes or falls
// silent is ended, and a fresh one makes the file's digests. Where no Worker can start, the page
// does the work itself.

import { HashkitError } from "./errors.js";
import { hashBlob } from "./hashing.js";

/** @typedef {import("./hashing.js").Outcome} Outcome */
/** @typedef {import("./options.js").HashOptions} HashOptions */
/** @typedef {import("./options.js").Watch} Watch */
/** @typedef {import("./worker.js").WorkerJob} WorkerJob */

/** Why a Worker gave no outcome: "start" where none could be started, else the code of an error. */
class WorkerFailed extends Error {
  /** @param {string} code */
  constructor(code) {
    super(code);
    this.code = code;
  }
}

const SILENT_TICKS = 10;

/** Workers of one page, at most so many at once. */
export class WorkerPool {
  /**
   * @param {() => Worker} start starts a Worker of worker.js
   * @param {number} most
   * @param {number} silence milliseconds without any news of a file, after which it is given up
   */
  constructor(start, most, silence) {
    this.start = start;
    this.silence = silence;
    this.free = most;
    /** @type {Worker[]} that have started and wait for a file */
    this.idle = [];
    /** @type {(() => void)[]} */
    this.waiting = [];
    this.canStart = typeof Worker === "function";
  }

  /**
   * @param {Blob} blob
   * @param {HashOptions} options
   * @param {Watch} watch
   * @returns {Promise<Outcome>} rejects only with the reason of the signal, at once
   */
  async hash(blob, options, watch) {
    await this.turn(watch.signal);
    try {
      return await this.hashInTurn(blob, options, watch);
    } finally {
      this.free += 1;
      this.waiting.shift()?.();
    }
  }

  /**
   * Wait until a Worker may be used; the first to come is the first to go.
   * @param {AbortSignal | undefined} signal
   */
  async turn(signal) {
    while (this.free === 0) {
      await /** @type {Promise<void>} */ (new Promise((resolve, reject) => {
        const leave = () => {
          this.waiting = this.waiting.filter((each) => each !== enter);
          reject(signal?.reason);
        };
        const enter = () => {
          signal?.removeEventListener("abort", leave);
          resolve();
        };
        signal?.addEventListener("abort", leave, { once: true });
        this.waiting.push(enter);
      }));
    }
    this.free -= 1;
  }

  /**
   * @param {Blob} blob
   * @param {HashOptions} options
   * @param {Watch} watch
   * @returns {Promise<Outcome>}
   */
  async hashInTurn(blob, options, watch) {
    /** @type {string | undefined} */
    let failed;
    for (let attempt = 0; attempt < 2 && this.canStart; attempt += 1) {
      try {
        return await this.inWorker({ blob, options, failed }, watch);
      } catch (error) {
        if (!(error instanceof WorkerFailed)) {
          throw error;
        }
        if (error.code === "start") {
          this.canStart = false;
        } else {
          failed ??= error.code;
        }
      }
    }
    return failed === undefined ? hashBlob(blob, options, watch)
      : { error: new HashkitError(failed).toJSON() };
  }

  /**
   * @param {WorkerJob} job
   * @param {Watch} watch
   * @returns {Promise<Outcome>} rejects with WorkerFailed, or the reason of the signal; the Worker
   *   has ended then
   */
  async inWorker(job, { onProgress, signal }) {
    signal?.throwIfAborted();
    const isReady = this.idle.length > 0;
    const worker = this.idle.pop() ?? this.started();
    const listening = new AbortController();
    try {
      const outcome = await new Promise((resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason), listening);
        listenToWorker(worker, isReady, this.silence, listening.signal, (news) => {
          if (news instanceof WorkerFailed) reject(news);
          else if ("outcome" in news) resolve(news.outcome);
          else onProgress?.(news.progress);
        });
        worker.postMessage(job);
      });
      this.idle.push(worker);
      return outcome;
    } catch (error) {
      worker.terminate();
      throw error;
    } finally {
      listening.abort();
    }
  }

  /** @returns {Worker} */
  started() {
    try {
      return this.start();
    } catch {
      throw new WorkerFailed("start");
    }
  }
}

/**
 * @param {Worker} worker
 * @param {boolean} isReady whether it is known to have been loaded
 * @param {number} silence milliseconds
 * @param {AbortSignal} signal ends the listening
 * @param {(news: WorkerFailed | {progress: number} | {outcome: Outcome}) => void} onNews
 */
function listenToWorker(worker, isReady, silence, signal, onNews) {
  let [ready, quiet] = [isReady, 0];
  // Counted, and not one long wait: a phone may sleep for hours, and all is well when it wakes.
  const clock = setInterval(() => {
    quiet += 1;
    if (quiet === SILENT_TICKS) onNews(new WorkerFailed("took_too_long"));
  }, silence / SILENT_TICKS);
  signal.addEventListener("abort", () => clearInterval(clock), { once: true });
  worker.addEventListener("message", ({ data }) => {
    quiet = 0;
    if (data.ready) ready = true;
    else onNews(data);
  }, { signal });
  // All that is raised for a file becomes its outcome, so a Worker that fails had no memory left.
  const fail = (/** @type {Event} */ event) => {
    event.preventDefault();
    onNews(new WorkerFailed(ready ? "too_much_memory" : "start"));
  };
  worker.addEventListener("error", fail, { signal });
  worker.addEventListener("messageerror", fail, { signal });
}
