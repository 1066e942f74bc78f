// Runs before anything else in the page. It takes away what the page's policy cannot forbid: ways to
// send that are no requests, and addresses that the page goes to. `links` are all that it links to.
((links) => {
  "use strict";

  /** Whether the page itself leads there: a place in it, a file that is saved, or a service. */
  const isOurs = (address) =>
    links.includes(address) || address.split("#")[0] === location.href.split("#")[0];

  for (const name of Object.getOwnPropertyNames(window)) {
    if (name === "open" || name.includes("RTC")) {
      Object.defineProperty(window, name, { value: undefined, writable: false, configurable: false });
    }
  }
  // With three arguments it is window.open.
  Object.defineProperty(Document.prototype, "open", { value: undefined, writable: false });

  // Wherever `location`, a link or a refresh leads. Not every browser has it.
  window.navigation?.addEventListener("navigate", (event) => {
    const isSaved = event.downloadRequest != null && event.destination.url.startsWith("blob:");
    if (!isSaved && !isOurs(event.destination.url)) event.preventDefault();
  });

  // A link that opens a new tab is no event of this one.
  for (const kind of ["click", "auxclick"]) {
    addEventListener(kind, (event) => {
      for (const { href } of event.composedPath()) {
        if (href === undefined) continue;
        if (typeof href !== "string" || !isOurs(href)) event.preventDefault();
      }
    }, true);
  }
})(LINKS);
