// Browsers let no page search that was opened from a folder, without a server: then no search is
// better than one that never ends.
if (location.protocol === "file:") {
    document.addEventListener("DOMContentLoaded", () => {
        document.getElementById("rtd-search-form")?.closest("[role=search]")?.remove();
    });
}
