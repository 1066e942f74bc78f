// Compiles JSON Schemas with ajv in its strict mode: node schemas.js FILE…
// None of them may take an empty list or an empty object.
import { readFileSync } from "node:fs";
import addFormats from "ajv-formats";
import Ajv from "ajv/dist/2020.js";

for (const file of process.argv.slice(2)) {
  const ajv = addFormats(new Ajv({ strict: true }));
  const validate = ajv.compile(JSON.parse(readFileSync(file, "utf8")));
  for (const empty of [[], {}]) {
    if (validate(empty)) {
      throw new Error(`${file} takes ${JSON.stringify(empty)}`);
    }
  }
}
