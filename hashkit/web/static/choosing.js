// Choosing files: with a button, as a folder, or by dragging them here.

import { add } from "./files.js";
import { sentence } from "./steps.js";

const notes = document.getElementById("choosing-notes");
const drop = document.getElementById("drop");

const MADE_BY_SYSTEMS = new Set(["thumbs.db", "desktop.ini"]);

/** Lets the person choose, whenever the step is shown. ``canChoose`` says if it is. */
export function letChoose(canChoose) {
  for (const [button, field] of [
    ["choose-files", "files-input"],
    ["choose-folder", "folder-input"],
  ]) {
    const input = document.getElementById(field);
    document.getElementById(button).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const found = [...input.files].map((file) => ({
        file,
        path: file.webkitRelativePath || file.name,
      }));
      input.value = ""; // so that the same can be chosen again, once it was removed
      if (found.length) takeFound(found, 0);
      else say(["nothing"]);
    });
  }
  // Anywhere on the page, at any step: a browser would open the file, and show the picture.
  for (const kind of ["dragenter", "dragover"]) {
    addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", canChoose());
      event.dataTransfer.dropEffect = canChoose() ? "copy" : "none";
    });
  }
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (canChoose()) takeDropped(event.dataTransfer);
  });
}

/** Adds what was found, but not what is hidden in folders. */
function takeFound(found, lost) {
  const seen = found.filter(({ path }) => !isHidden(path));
  const twice = add(seen);
  say([
    ["hidden", found.length - seen.length],
    ["twice", twice],
    ["lost", lost],
  ]);
}

function say(what) {
  const told = what
    .filter((each) => typeof each === "string" || each[1])
    .map((each) => (typeof each === "string" ? sentence(each) : sentence(each[0], { count: each[1] })));
  notes.replaceChildren(
    ...told.map((text) => {
      const note = document.createElement("p");
      note.textContent = text;
      return note;
    }),
  );
}

/** Is it hidden, or in a hidden folder, somewhere below what was chosen? */
function isHidden(path) {
  const below = path.split("/").slice(1);
  return below.some((name) => name.startsWith(".") || MADE_BY_SYSTEMS.has(name.toLowerCase()));
}

async function takeDropped(data) {
  // All at once, before anything is awaited: after that the browser gives nothing any more.
  const dropped = [...data.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile())
    .filter(Boolean);
  if (dropped.some((each) => each.isDirectory)) say(["looking"]);
  const found = [];
  let lost = 0;
  for (const each of dropped) lost += await collect(each, found);
  if (found.length || lost) takeFound(found, lost);
  else say(["nothing"]);
}

/** Puts all files in this entry into ``found``. Returns how many could not be opened. */
async function collect(entry, found) {
  if (entry instanceof File) {
    found.push({ file: entry, path: entry.name });
    return 0;
  }
  try {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      found.push({ file, path: entry.fullPath.replace(/^\//, "") });
      return 0;
    }
    let lost = 0;
    for (const each of await entriesOf(entry)) lost += await collect(each, found);
    return lost;
  } catch {
    return 1;
  }
}

/** Everything in a folder. The browser gives a part each time, and nothing at the end. */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return all;
    all.push(...some);
  }
}
