// Drag a visit to another time, person or room. What is dropped opens its review: nothing moves before that is pressed.
// The link "Move" on each card, and the page of other times, do the same without this file.

"use strict";

// A mouse has to travel a little, a finger has to rest, before a visit is lifted.
const TRAVEL = 6;
const HOLD_MS = 350;
// Near the edge the page and the board move along.
const EDGE = 48;
const EDGE_STEP = 14;

const voice = document.createElement("p");
voice.className = "visually-hidden";
voice.setAttribute("role", "status");
document.body.append(voice);

let waiting = null; // pressed, not lifted yet
let drag = null; // in the hand

// While something is pressed or in the hand the board stays as it is: live.js asks for this mark.
const root = document.documentElement;
const busy = (is) => root.toggleAttribute("data-dragging", is);
root.classList.add("can-drag");

const say = (words) => { if (voice.textContent !== words) voice.textContent = words; };

document.addEventListener("pointerdown", (event) => {
  const card = event.target.closest(".board [data-reference]");
  if (!card || event.button !== 0 || !event.isPrimary || drag) return;
  const box = card.getBoundingClientRect();
  waiting = { card, x: event.clientX, y: event.clientY, dx: event.clientX - box.left, dy: event.clientY - box.top };
  busy(true);
  if (event.pointerType !== "mouse") waiting.timer = setTimeout(lift, HOLD_MS);
});

document.addEventListener("pointermove", (event) => {
  if (waiting) {
    const far = Math.hypot(event.clientX - waiting.x, event.clientY - waiting.y) > TRAVEL;
    if (!far) return;
    if (waiting.timer) letGo();
    else lift();
  }
  if (drag) follow(event.clientX, event.clientY);
});

document.addEventListener("pointerup", () => {
  if (!drag) return letGo();
  const { card, target } = drag;
  putDown();
  if (target && !target.isWhereItWas) review(card, target);
  else say("Not moved.");
});

document.addEventListener("pointercancel", () => (drag ? cancel() : letGo()));
window.addEventListener("blur", () => (drag ? cancel() : letGo()));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drag) return;
  event.preventDefault();
  cancel();
});

// What scrolls below the hand is another place.
document.addEventListener("scroll", () => { if (drag) follow(drag.x, drag.y); }, { capture: true, passive: true });

// The browser's own ways with a pressed link, a finger that rests, and a finger that moves.
document.addEventListener("dragstart", (event) => {
  if (event.target.closest?.(".board [data-reference]")) event.preventDefault();
});
document.addEventListener("contextmenu", (event) => { if (drag) event.preventDefault(); });
document.addEventListener("touchmove", (event) => { if (drag) event.preventDefault(); }, { passive: false });

function letGo() {
  clearTimeout(waiting?.timer);
  waiting = null;
  busy(false);
}

function lift() {
  const { card, x, y, dx, dy } = waiting;
  letGo();
  if (!card.isConnected) return;
  const box = card.getBoundingClientRect();
  const ghost = card.cloneNode(true);
  ghost.querySelectorAll("[id]").forEach((each) => each.removeAttribute("id"));
  ghost.removeAttribute("data-reference");
  ghost.setAttribute("aria-hidden", "true");
  ghost.inert = true;
  ghost.classList.add("drag-ghost");
  ghost.style.width = `${box.width}px`;
  ghost.style.height = `${box.height}px`;
  const mark = document.createElement("p");
  mark.className = "drag-target";
  mark.append(document.createElement("b"));
  const board = card.closest(".board");
  const from = placeAt(board, box.left + box.width / 2, box.top);
  document.body.append(ghost);
  board.append(mark);
  card.classList.add("is-lifted");
  busy(true);
  document.getSelection().removeAllRanges();
  drag = { card, board, ghost, mark, from, dx, dy, x, y, target: null };
  document.addEventListener("click", swallow, { capture: true, once: true });
  drag.frame = requestAnimationFrame(moveAlong);
  follow(x, y);
}

function follow(x, y) {
  Object.assign(drag, { x, y });
  drag.ghost.style.transform = `translate(${x - drag.dx}px, ${y - drag.dy}px)`;
  drag.target = isInSight(drag.board, x, y) ? placeAt(drag.board, x, y - drag.dy) : null;
  show(drag.target);
}

function show(target) {
  drag.mark.hidden = !target;
  if (!target) return say("Not on the board.");
  target.isWhereItWas = target.column === drag.from?.column && target.minutes === drag.from.minutes;
  const frame = drag.board.getBoundingClientRect();
  const height = heightOf(target, Number(drag.card.dataset.minutes));
  drag.mark.style.left = `${target.lane.left - frame.left}px`;
  drag.mark.style.top = `${target.lane.top + target.top - frame.top}px`;
  drag.mark.style.width = `${target.lane.width}px`;
  drag.mark.style.height = `${height}px`;
  drag.mark.firstChild.textContent = target.clock;
  say(`${target.name}, ${target.clock}`);
}

function cancel() {
  putDown();
  say("Not moved.");
}

function putDown() {
  cancelAnimationFrame(drag.frame);
  drag.ghost.remove();
  drag.mark.remove();
  drag.card.classList.remove("is-lifted");
  busy(false);
  drag = null;
  // A press that ended outside sends no click; one that comes later is meant.
  setTimeout(() => document.removeEventListener("click", swallow, { capture: true }));
}

function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

function moveAlong() {
  if (!drag) return;
  const scroller = drag.board.closest(".board-scroll");
  const box = scroller.getBoundingClientRect();
  const sight = sightOf(drag.board);
  const { scrollLeft, scrollTop } = scroller;
  scroller.scrollLeft += towards(drag.x, sight.left, sight.right);
  scroller.scrollTop += towards(drag.y, sight.top, sight.bottom);
  // The page itself goes on where the board cannot, as far as there is more of the board to see.
  const down = scroller.scrollTop === scrollTop ? towards(drag.y, 0, innerHeight) : 0;
  const goesOn = down < 0 ? box.top < 0 : down > 0 && box.bottom > innerHeight;
  if (goesOn) window.scrollBy(0, down);
  if (goesOn || scroller.scrollLeft !== scrollLeft || scroller.scrollTop !== scrollTop) follow(drag.x, drag.y);
  drag.frame = requestAnimationFrame(moveAlong);
}

// The part of the board that shows its times: in the window, and below the heads of its columns.
function sightOf(board) {
  const { left, top, right, bottom } = board.closest(".board-scroll").getBoundingClientRect();
  const heads = Math.max(...[...board.querySelectorAll(".board-head")].map((each) => each.offsetHeight));
  return {
    left: Math.max(left, 0),
    top: Math.max(top + heads, 0),
    right: Math.min(right, innerWidth),
    bottom: Math.min(bottom, innerHeight),
  };
}

function isInSight(board, x, y) {
  const { left, top, right, bottom } = sightOf(board);
  return x >= left && x <= right && y >= top && y <= bottom;
}

function towards(at, first, last) {
  if (at < first + EDGE) return -EDGE_STEP;
  return at > last - EDGE ? EDGE_STEP : 0;
}

// Rows grow with what stands in them: where each begins is asked of the grid itself. The first is the heads of columns.
function edgesOf(board) {
  const tracks = getComputedStyle(board).gridTemplateRows.match(/[\d.]+(?=px)/g).slice(1).map(Number);
  const edges = [0];
  for (const track of tracks) edges.push(edges.at(-1) + track);
  return edges;
}

function placeAt(board, x, y) {
  const columns = [...board.querySelectorAll("[data-column]")].filter((each) => each.dataset.column);
  const column = columns.find((each) => {
    const box = each.getBoundingClientRect();
    return x >= box.left && x <= box.right;
  });
  const first = column?.querySelector("[data-first]");
  if (!first) return null;
  const lane = first.getBoundingClientRect();
  const edges = edgesOf(board);
  const rowMinutes = Number(first.dataset.rowMinutes);
  const minutes = nearestStart(column, edges, rowMinutes, y - lane.top);
  if (minutes === null) return null;
  return {
    column,
    lane,
    minutes,
    edges,
    rowMinutes,
    top: topOf(edges, minutes / rowMinutes),
    name: column.querySelector("h2").textContent.trim(),
    start: new Date(Date.parse(first.dataset.first) + minutes * 60_000),
    clock: clockAfter(first.dataset.first, minutes),
  };
}

function nearestStart(column, edges, rowMinutes, y) {
  const last = edges.length - 1;
  if (y < -EDGE || y > edges[last]) return null;
  const far = (minutes) => Math.abs(topOf(edges, minutes / rowMinutes) - y);
  return startsOf(column, last * rowMinutes).reduce((nearest, each) => (far(each) < far(nearest) ? each : nearest));
}

// In minutes after the first row. While somebody works, visits begin on the grid that starts when they do.
function startsOf({ dataset }, last) {
  const step = Number(dataset.step);
  const every = (from, until) => Array.from({ length: Math.ceil((until - from) / step) }, (_, n) => from + n * step);
  const stretches = dataset.stretches.split(" ").filter(Boolean).map((each) => each.split("-").map(Number));
  const atWork = stretches.flatMap(([from, until]) => every(from, until));
  const outside = every(0, last).filter((each) => !stretches.some(([from, until]) => each >= from && each < until));
  return [...outside, ...atWork];
}

// Of a part of a row too, where the grid is not one of whole rows.
function topOf(edges, row) {
  const whole = Math.min(Math.floor(row), edges.length - 2);
  return edges[whole] + (row - whole) * (edges[whole + 1] - edges[whole]);
}

function heightOf({ edges, minutes, rowMinutes, top }, length) {
  const end = Math.min((minutes + length) / rowMinutes, edges.length - 1);
  return topOf(edges, end) - top;
}

// The first row says the time by the clinic's own clock: 2026-12-10T09:00:00-05:00.
function clockAfter(first, minutes) {
  const [, hour, minute] = first.match(/T(\d\d):(\d\d)/).map(Number);
  const total = (hour * 60 + minute + minutes) % (24 * 60);
  const [hours, rest] = [Math.floor(total / 60), total % 60];
  if (!rest && hours % 12 === 0) return hours ? "midday" : "midnight";
  return `${hours % 12 || 12}${rest ? `:${String(rest).padStart(2, "0")}` : ""}${hours < 12 ? "am" : "pm"}`;
}

function review(card, { column, start }) {
  const query = new URLSearchParams({ start: start.toISOString() });
  query.set(column.dataset.kind, column.dataset.column);
  location.assign(`/desk/bookings/${card.dataset.reference}/place/?${query}`);
}
