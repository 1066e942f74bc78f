// The pictures of the conformance kit (tests/vectors/kit), and the hashes that the reference has.
import { readFileSync } from "node:fs";

const KIT = new URL("../../vectors/", import.meta.url);
/** The cases of one file of the kit. */
export function casesOf(name) {
  return JSON.parse(readFileSync(new URL(`kit/${name}.json`, KIT), "utf8")).cases;
}

/** What a PGM or PPM of 8 bits holds. */
export function contentOf(file) {
  const bytes = readFileSync(new URL(file, KIT));
  const header = /^(P[56])\s(\d+)\s(\d+)\s255\s/.exec(bytes.toString("latin1"));
  return {
    colours: header[1] === "P6" ? 3 : 1,
    width: Number(header[2]),
    height: Number(header[3]),
    pixels: bytes.subarray(header[0].length),
  };
}

/** The same as a picture, in bands of so many rows. */
export function pictureOf(file, band = 50) {
  const { colours, width, height, pixels } = contentOf(file);
  const data = Uint8Array.from({ length: 4 * width * height }, (_, i) =>
    i % 4 === 3 ? 255 : pixels[(i >> 2) * colours + (colours === 3 ? i % 4 : 0)],
  );
  return rgbaPicture(data, width, height, band);
}

/** A picture of 4 bytes a pixel, in bands of so many rows. */
export function rgbaPicture(data, width, height, band) {
  return {
    width,
    height,
    read: 0, // how often
    async *bands() {
      this.read++;
      for (let row = 0; row < height; row += band) {
        const rows = Math.min(band, height - row);
        yield { data: data.subarray(4 * row * width, 4 * (row + rows) * width), rows };
      }
    },
  };
}

/** A picture by the name of its case. */
export function pictureOfKit(name) {
  return pictureOf(caseOf(name).ask.file);
}

/** Its hash. */
export function hashOfKit(name) {
  const { hash, quality } = caseOf(name).expect;
  return { value: hash, quality };
}

function caseOf(name) {
  return casesOf("pdq").find((each) => each.name === name);
}
