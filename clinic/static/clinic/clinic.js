// Small comforts. Every page works whole without this file.

"use strict";

// A page that came back with errors starts at the list of them.
document.querySelector("[data-focus]")?.focus();

// A second press while the first is on its way sends nothing; the button stays alive for people who need it again.
const PATIENCE_MS = 8000;
const sentAt = new WeakMap();

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (Date.now() - (sentAt.get(form) ?? -PATIENCE_MS) < PATIENCE_MS) event.preventDefault();
  else sentAt.set(form, Date.now());
});

// "None of these" and the boxes above it take each other back.
document.addEventListener("change", (event) => {
  const list = event.target.closest("[data-tick-list]");
  if (!list || !event.target.checked) return;
  const isNone = event.target.matches("[data-none]");
  for (const box of list.querySelectorAll("input:checked")) {
    if (box !== event.target && (isNone || box.matches("[data-none]"))) box.checked = false;
  }
});

// Coming back with the Back button is a new start.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form").forEach((form) => sentAt.delete(form));
});

// Another day came without a new page: go on reading at its times.
document.addEventListener("htmx:afterSettle", () => {
  if (location.hash === "#day") document.querySelector("#day-title")?.focus();
});

// A hold's end is on the page as a clock time. Screen readers hear of it twice; nobody is hurried or sent away.
const SPOKEN_MINUTES = [5, 1];

function announceHold(notice) {
  const until = Date.parse(notice.dataset.holdUntil);
  const voice = document.createElement("p");
  voice.className = "visually-hidden";
  voice.setAttribute("role", "status");
  notice.append(voice);
  for (const minutes of SPOKEN_MINUTES) {
    const delay = until - minutes * 60_000 - Date.now();
    const words = minutes === 1 ? "1 minute left." : `${minutes} minutes left.`;
    if (delay > 0) setTimeout(() => { voice.textContent = `${words} You can keep this time longer.`; }, delay);
  }
}

document.querySelectorAll("[data-hold-until]").forEach(announceHold);
