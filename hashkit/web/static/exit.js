// Leaving at once. It needs nothing else of the page, so that it works whatever else does not.

import { tellOfLeaving } from "./leaving.js";

const THREE_PRESSES_WITHIN = 1500; // milliseconds

const link = document.getElementById("leave");
const away = link.href;
const otherTabs = "BroadcastChannel" in window ? new BroadcastChannel("leave") : null;
const whenLeaving = [];
let left = false;

/** Calls this when the person leaves, so that what is being done stops. */
export function beforeLeaving(stop) {
  whenLeaving.push(stop);
}

/** Has the person left? Nothing may be shown then. */
export function hasLeft() {
  return left;
}

/** Nothing is seen any more. The title stays: it says nothing, and an empty one would stand out. */
function blank() {
  document.documentElement.style.visibility = "hidden";
  document.body.replaceChildren();
}

function leave({ tellOthers = true } = {}) {
  if (!left) {
    left = true;
    blank();
    for (const stop of whenLeaving) {
      try {
        stop();
      } catch {
        // Whatever it is, leaving goes on.
      }
    }
    if (tellOthers) otherTabs?.postMessage("leave");
    tellOfLeaving();
  }
  location.replace(away); // takes the place of this page: the Back button does not lead here
}

// The link would add to the history, and with Ctrl or the middle button leave this tab open.
for (const kind of ["click", "auxclick"]) {
  link.addEventListener(kind, (event) => {
    event.preventDefault();
    leave();
  });
}
otherTabs?.addEventListener("message", () => leave({ tellOthers: false }));

// Shift alone, three times: not Shift held down, and not Shift with another key or the mouse.
let alone = false;
let presses = [];

function startAgain() {
  alone = false;
  presses = [];
}

addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Shift" || event.ctrlKey || event.altKey || event.metaKey) startAgain();
    else if (!event.repeat) alone = true;
  },
  true,
);
addEventListener(
  "keyup",
  (event) => {
    if (event.key !== "Shift" || !alone) return;
    alone = false;
    const now = performance.now();
    presses = [...presses.filter((then) => now - then < THREE_PRESSES_WITHIN), now];
    if (presses.length === 3) leave();
  },
  true,
);
addEventListener("pointerdown", startAgain, true);

// The browser may keep a page that was left, and show it again as it was. Nothing is left in it.
addEventListener("pagehide", (event) => {
  if (event.persisted) blank();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) leave();
});
