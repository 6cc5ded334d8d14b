// The little the pages need beyond htmx. Everything works without it, only less comfortably.
"use strict";

// "/" goes to the search box, unless somebody is typing.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = event.target;
  if (at.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.getElementById("q");
  if (search) {
    event.preventDefault();
    search.focus();
    search.select();
  }
});

// Exact instants are shown in the reader's own time zone when pointed at.
function localTimes(root) {
  for (const one of root.querySelectorAll("time[datetime]:not([data-local])")) {
    one.title = new Date(one.dateTime).toLocaleString(undefined, {
      dateStyle: "medium",
      timeStyle: "short",
    });
    one.dataset.local = "yes";
  }
}
document.addEventListener("DOMContentLoaded", () => localTimes(document));
document.addEventListener("htmx:afterSettle", (event) => localTimes(event.target));

// A part of a page that could not be fetched says so where it would have stood.
function failed(event) {
  const place = event.detail.target;
  if (!place || place.matches("[data-quiet]")) return;
  const text = document.createElement(place.matches("tbody") ? "tr" : "p");
  if (place.matches("tbody")) {
    const cell = text.appendChild(document.createElement("td"));
    cell.colSpan = 9;
    cell.textContent = "This could not be read just now. Reload the page to try again.";
    place.prepend(text);
  } else {
    text.className = "note warn";
    text.setAttribute("role", "status");
    text.textContent = "This could not be read just now. Reload the page to try again.";
    place.replaceChildren(text);
  }
}
for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, failed);
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  window.setTimeout(() => delete form.dataset.sent, 8000);
});
