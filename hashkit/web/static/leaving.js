// Tells hashkit that the person has left. The page that works without hashkit has another file of
// this name.

const leaveAt = `leave?page=${document.body.dataset.page}`;

/** Ends hashkit, without waiting for an answer: the page may be gone before it comes. */
export function tellOfLeaving() {
  try {
    if (navigator.sendBeacon(leaveAt)) return;
  } catch {
    // As if it had been refused.
  }
  fetch(leaveAt, { method: "POST", keepalive: true }).catch(() => {});
}
