// The types of hashkit.js. .ci/browser holds them to the code.

/** A PDQ hash: 64 hex digits, and how much there is to see, 0 to 100. */
export type PdqHash = { value: string; quality: number };

/** The PDQ hashes of a video's sampled frames: the frame's number, and its time in seconds. */
export type VpdqHash = {
  interval: number | string;
  frames: { frame: number; timestamp: number; value: string; quality: number }[];
};

/** By the names of the algorithms; digests in lowercase hex. */
export type Hashes = {
  md5?: string;
  sha1?: string;
  sha256?: string;
  sha512?: string;
  pdq?: PdqHash;
  vpdq?: VpdqHash;
};

/** The hash of another reading of the file, or of an edit: one of `pdq` and `vpdq`. */
export type Variant = { name: string; pdq?: PdqHash; vpdq?: VpdqHash };

/** What a person should know about a file that was hashed. `code` is stable. */
export type Notice = { code: string; text: string };

/** Why a file could not be hashed: what happened, and what to do next. `code` is stable. */
export type ErrorFields = { code: string; text: string; advice: string };

/**
 * What became of a file: `kind`, `hashes`, perhaps `variants`, and `notices`; or an `error`, beside
 * the hashes of the file's bytes where they could be made.
 */
export type Outcome = {
  kind?: "image" | "video";
  hashes?: Hashes;
  variants?: Variant[];
  notices?: Notice[];
  error?: ErrorFields;
};

export type HashFileOptions = {
  /** `md5`, `sha1`, `sha256`, `sha512`, `pdq`, `vpdq`; `services` (all but `sha512`) or `all`. */
  algorithms?: string | string[];
  /** Which frames of a video get a hash: one every so many seconds (1), all, or keyframes. */
  sample?: number | "all" | "keyframes";
  /** Hashes beside the original's: of other readings of the file (if not given), or also of edits. */
  variants?: "none" | "readings" | "orientations";
  /** Limit of a picture, in pixels: 200 million. */
  maxPixels?: number;
  /** Called with the part that is done, 0 to 1. */
  onProgress?: (part: number) => void;
  /** To cancel. */
  signal?: AbortSignal;
};

/**
 * Hash a picture or a video, on this device. Rejects with TypeError for wrong arguments and with
 * the signal's reason when it is cancelled; with nothing else.
 */
export declare function hashFile(file: Blob, options?: HashFileOptions): Promise<Outcome>;

/** What this browser opens: formats of pictures and codecs of videos, by name. */
export declare function supported(): Promise<{
  pictures: Record<string, boolean>;
  videos: Record<string, boolean>;
}>;

/** The document with the hashes that may leave the device. TypeError for anything but results. */
export declare function submissionOf(results: unknown): {
  format: string;
  version: number;
  items: {
    kind: string;
    hashes: { [name: string]: unknown };
    variants?: { [name: string]: unknown }[];
  }[];
};

/** The same as hashkit writes it to a file, byte for byte. */
export declare function submissionText(results: unknown): string;
