// The pages work without this: it opens the browser's print dialogue, stops a second click and marks a whole list.
"use strict";
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "1";
});
// One mark for every case on the page; without this each is marked by itself.
document.addEventListener("change", (event) => {
  const name = event.target.dataset.checkAll;
  if (!name) return;
  for (const one of document.querySelectorAll(`input[name="${name}"]`)) one.checked = event.target.checked;
});
const offer = () => {
  for (const all of document.querySelectorAll("[data-check-all]")) all.hidden = false;
};
offer();
document.addEventListener("htmx:afterSettle", offer);
// A page that comes back from the browser's memory may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
