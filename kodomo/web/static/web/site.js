// The pages work without this: it opens the browser's print dialogue and stops a second click.
"use strict";
for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => window.print());
}
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
}
// One mark for every case on the page; without this each is marked by itself.
for (const all of document.querySelectorAll("[data-check-all]")) {
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const one of document.querySelectorAll(`input[name="${all.dataset.checkAll}"]`)) one.checked = all.checked;
  });
}
// A page that comes back from the browser's memory may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
// A running job's figures are fetched anew for ten minutes; without this the page has a link for it.
const live = document.querySelector("[data-live]");
if (live) {
  let left = 200;
  const timer = setInterval(async () => {
    if (document.visibilityState !== "visible") return;
    if (--left < 0) return clearInterval(timer);
    const answer = await fetch(location.href).catch(() => null);
    if (!answer || !answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
    if (!fresh) return location.reload();
    live.replaceChildren(...fresh.childNodes);
  }, 3000);
}
