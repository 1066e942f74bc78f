// What is said of a file that was hashed here: as hashkit/web/words.py says it.

import { FACTS } from "../../../browser/data.js";

/**
 * How useful the hashes of a file are to services.
 *
 * @param {import("../../../browser/hashing.js").Outcome} outcome
 * @returns {"good" | "plain" | "exact_only" | "unreadable"}
 */
export function verdictOn(outcome) {
  const quality = outcome.error ? null : qualityOf(outcome);
  if (quality !== null) {
    return quality >= Number(FACTS.algorithms.pdq.minQuality) ? "good" : "plain";
  }
  const isUseful = outcome.kind !== undefined && Object.keys(outcome.hashes ?? {}).length > 0;
  return isUseful ? "exact_only" : "unreadable";
}

/**
 * Of a picture, or of the best frame of a video; null if there is none.
 *
 * @param {import("../../../browser/hashing.js").Outcome} outcome
 * @returns {number | null}
 */
function qualityOf({ kind, hashes = {}, variants = [] }) {
  const named = variants.filter(({ name }) => FACTS.stillReadings.includes(name));
  const found = kind === "video"
    ? (hashes.vpdq?.frames ?? []).map((frame) => frame.quality)
    : [hashes, ...named].flatMap(({ pdq }) => (pdq ? [pdq.quality] : []));
  return found.length > 0 ? found.reduce((a, b) => Math.max(a, b)) : null;
}

/**
 * The verdict, the title and the points of a file.
 *
 * @param {import("../../../browser/hashing.js").Outcome} outcome
 * @param {(name: string) => string[]} textsOf the texts of the page, by their names
 */
export function describedAs(outcome, textsOf) {
  const verdict = verdictOn(outcome);
  const known = outcome.error ? textsOf(`error-${outcome.error.code}`) : [];
  const failure = outcome.error && known.length === 0 ? textsOf("error-other") : known;
  const points = [
    ...failure.slice(0, 1),
    ...textsOf(`meaning-${verdict}`),
    ...(outcome.notices ?? []).flatMap(({ code }) => textsOf(`notice-${code}`)),
    ...failure.slice(1),
  ];
  return { verdict, title: textsOf(`title-${verdict}`)[0], points: [...new Set(points)] };
}
