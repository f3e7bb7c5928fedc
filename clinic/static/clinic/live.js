// A page that asks for its changing part again. Without this file it says when it was read, and has a link to refresh.

"use strict";

const LIVE = "live";

function isBusy() {
  return document.hidden || document.querySelector("[data-dragging]") !== null;
}

// Nobody looks, or somebody has a card in their hand: later.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === LIVE && isBusy()) event.preventDefault();
});

// Where the board was scrolled to, from one refresh to the next.
let scrolled = null;

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.id !== LIVE) return;
  // Signed out meanwhile, and sent to another page: let the whole window go there.
  const { xhr } = event.detail;
  if (new URL(xhr.responseURL).pathname !== location.pathname) {
    event.preventDefault();
    location.reload();
  } else if (isBusy()) {
    event.preventDefault();
  } else {
    const board = document.querySelector("#board");
    scrolled = board && [board.scrollLeft, board.scrollTop];
  }
});

document.addEventListener("htmx:afterSwap", () => {
  const board = document.querySelector("#board");
  if (board && scrolled) [board.scrollLeft, board.scrollTop] = scrolled;
});
