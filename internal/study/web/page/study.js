// The page of a study. The server says what to show; the browser keeps the draft of the trial in hand, so that a reload or
// another tab goes on with it. An answer is sent until the server says that it is kept; sending it twice does no harm.

import { Drawing, nextStep } from "./draw.js";

const $ = (id) => document.getElementById(id);
const radios = [...document.querySelectorAll("#answers input")];
let state = null;
let drawings = [];
let draft = null; // of the trial in hand
let since = 0; // when the clock of the trial was started last; 0: it stands
let sending = false;

const choices = () =>
  state.pairs
    ? [{ value: "left", text: "A is synthetic", keys: ["a", "1"] }, { value: "right", text: "B is synthetic", keys: ["b", "2"] }]
    : [{ value: "Real", text: "Real", keys: ["r", "1"] }, { value: "Synthetic", text: "Synthetic", keys: ["s", "2"] }];

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, { ...options, credentials: "same-origin" });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.problem || `The server answered ${response.status}.`), { final: response.status < 500 });
}

const pause = (ms) => new Promise((go) => setTimeout(go, ms));

// insist asks until there is an answer, yes or no.
async function insist(path, body) {
  for (let wait = 500; ; wait = Math.min(2 * wait, 8000)) {
    try {
      const answer = await ask(path, body);
      trouble("");
      return answer;
    } catch (e) {
      if (e.final) throw e;
      trouble("No connection. Your answer is kept here and sent as soon as there is one: please leave this page open.");
      await pause(wait);
    }
  }
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

const say = (text) => ($("status").textContent = text);

// The clock counts the time in which the trial is on the screen.
const elapsed = () => (draft.elapsed || 0) + (since ? (performance.now() - since) / 1000 : 0);
function stop() {
  if (!draft) return;
  draft.elapsed = elapsed();
  since = 0;
}
function go() {
  if (draft && !since && document.visibilityState === "visible") since = performance.now();
}

const draftKey = () => `${state.study}/${state.participant}/${state.trial.number}`;
function keep() {
  if (!draft) return;
  stop();
  draft.drawings = drawings.map((d) => d.strokes);
  try {
    localStorage.setItem(draftKey(), JSON.stringify(draft));
  } catch {
    // without a store the draft lives as long as the page
  }
  go();
  ready();
}
function recall() {
  try {
    return JSON.parse(localStorage.getItem(draftKey())) || {};
  } catch {
    return {};
  }
}
function forget() {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(`${state.study}/`)) localStorage.removeItem(key);
  } catch {
    // there is none
  }
}

function show(next) {
  const turned = !state || state.trial?.number !== next.trial?.number || state.participant !== next.participant;
  state = next;
  document.title = $("title").textContent = state.title;
  for (const id of ["welcome", "trial", "done"]) $(id).hidden = true;
  $("progress").hidden = !state.participant;
  $("bar").max = state.of || 1;
  $("bar").value = state.done;
  $("count").textContent = `${state.done} of ${state.of}`;
  if (!state.participant) return welcome();
  if (!state.trial) {
    forget();
    draft = null;
    $("done").hidden = false;
    return $("done").querySelector("h1").focus();
  }
  $("trial").hidden = false;
  if (turned) trial();
  for (const source of state.next || []) new Image().src = source;
}

function welcome() {
  const section = $("welcome");
  section.hidden = false;
  section.querySelector("h1").textContent = state.title;
  $("text").replaceChildren(
    ...state.welcome.split(/\n\s*\n/).map((text) => Object.assign(document.createElement("p"), { textContent: text })),
  );
  $("agree").checked = false;
  $("start").disabled = true;
}

async function trial() {
  const t = state.trial;
  $("question").textContent = state.pairs ? "Which image is synthetic?" : "Is this image real or synthetic?";
  const wanted = choices().find((c) => c.value === t.check);
  $("task").textContent = wanted
    ? `This one is to see that you read: please choose “${wanted.text}”, whatever you see.`
    : t.annotated
      ? "Draw over the region that speaks for your answer, and choose the answer."
      : "Choose the answer. Nothing needs to be drawn here.";
  $("task").classList.toggle("check", Boolean(wanted));
  $("tools").hidden = !t.annotated;
  for (const row of document.querySelectorAll("#help .drawing")) row.hidden = !t.annotated;
  $("keys").replaceChildren(...choices().flatMap((c) => [Object.assign(document.createElement("kbd"), { textContent: c.keys[0].toUpperCase() }), " "]));
  choices().forEach((c, i) => {
    radios[i].value = c.value;
    radios[i].nextElementSibling.textContent = c.text;
    radios[i].nextElementSibling.nextElementSibling.textContent = c.keys[0].toUpperCase();
  });
  say("");
  active = 0;
  draft = recall();
  since = 0;
  const frames = t.images.map((image, i) => frame(image, i));
  $("stimulus").replaceChildren(...frames.map((f) => f.figure));
  $("stimulus").classList.toggle("pair", state.pairs);
  drawings = t.annotated ? frames.map((f, i) => drawing(f.box, i)) : [];
  for (const r of radios) r.checked = r.value === draft.answer;
  ready();
  $("question").focus({ preventScroll: true });
  window.scrollTo(0, 0);
  const mine = draft;
  await Promise.allSettled(frames.map((f) => f.img.decode()));
  if (draft === mine) requestAnimationFrame(go);
}

const nameOf = (i) => (state.pairs ? `image ${"AB"[i]}` : "the image");

function frame(image, i) {
  const figure = document.createElement("figure");
  const box = Object.assign(document.createElement("div"), { className: "frame" });
  const img = Object.assign(new Image(image.width, image.height), { src: image.source, alt: `The image to judge${state.pairs ? `, ${"AB"[i]}` : ""}`, draggable: false });
  box.style.setProperty("--ratio", image.width / image.height);
  box.append(img);
  figure.append(box);
  if (state.pairs) figure.append(Object.assign(document.createElement("figcaption"), { textContent: "AB"[i] }));
  return { figure, box, img };
}

function drawing(box, i) {
  const canvas = Object.assign(document.createElement("canvas"), { tabIndex: 0 });
  canvas.setAttribute("role", "application");
  box.append(canvas, Object.assign(document.createElement("div"), { className: "cursor" }));
  const d = new Drawing(box, { name: nameOf(i), changed: () => keep(), say, size: () => $("brush").value / 100 });
  canvas.addEventListener("focus", () => (active = i));
  d.restore(draft.drawings?.[i] || []);
  return d;
}

let active = 0; // the image that was drawn on last

// undo takes back what was done last, on whichever image.
function undo() {
  const latest = Math.max(0, ...drawings.map((d) => d.latest()));
  if (latest) drawings.filter((d) => d.latest() === latest).forEach((d) => d.undo());
}

function clear() {
  const drawn = drawings.filter((d) => d.strokes.length);
  const step = nextStep();
  drawn.forEach((d) => d.clear(step));
  if (drawn.length) say("Cleared. Undo brings it back.");
}

const drawn = () => !state.trial.annotated || drawings.some((d) => d.strokes.length);

function ready() {
  $("undo").disabled = !drawings.some((d) => d.latest());
  $("clear").disabled = !drawings.some((d) => d.strokes.length);
  $("next").setAttribute("aria-disabled", String(!(draft?.answer && drawn()) || sending));
}

function choose(value) {
  if (sending || !draft) return;
  draft.answer = value;
  draft.time = elapsed();
  for (const r of radios) r.checked = r.value === value;
  keep();
}

async function next() {
  if (sending || !draft) return;
  for (const d of drawings) d.lift();
  if (!draft.answer) return say("Please choose an answer first.");
  if (!drawn()) return say("Please draw the region that speaks for your answer first.");
  keep();
  sending = true;
  ready();
  const t = state.trial;
  try {
    const after = await insist("/answer", {
      trial: t.number,
      answer: draft.answer,
      time: draft.time,
      total: elapsed(),
      drawings: t.images.map((_, i) => drawings[i]?.strokes || []),
    });
    forget();
    sending = false;
    show(after);
  } catch (e) {
    sending = false;
    trouble(e.message);
    ready();
  }
}

// refresh asks where we are: another tab may have gone on.
async function refresh() {
  if (sending) return;
  try {
    const now = await ask("/state");
    if (!sending) show(now);
  } catch (e) {
    if (e.final) trouble(e.message);
  }
}

$("agree").addEventListener("change", () => ($("start").disabled = !$("agree").checked));
$("start").addEventListener("click", async () => {
  $("start").disabled = true;
  try {
    show(await insist("/join", {}));
  } catch (e) {
    trouble(e.message);
  }
});
$("leave").addEventListener("click", async () => show(await insist("/leave", {})));
$("next").addEventListener("click", next);
$("undo").addEventListener("click", undo);
$("clear").addEventListener("click", clear);
$("brush").addEventListener("input", () => drawings.forEach((d) => d.show()));
for (const r of radios) r.addEventListener("change", () => choose(r.value));

function resize(by) {
  $("brush").value = Number($("brush").value) + by;
  drawings.forEach((d) => d.show());
  say(`Brush ${$("brush").value} % of the image.`);
}

document.addEventListener("keydown", (e) => {
  if (!state?.trial || e.defaultPrevented || e.repeat && e.key === "Enter") return;
  const key = e.key.toLowerCase();
  if ((e.ctrlKey || e.metaKey) && key === "z") {
    e.preventDefault();
    return undo();
  }
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === "Enter" && !e.target.closest("button,summary,a")) {
    e.preventDefault();
    return next();
  }
  if (!$("single").checked) return;
  const choice = choices().find((c) => c.keys.includes(key));
  if (choice) return choose(choice.value);
  if (!drawings.length) return;
  if (key === "d") {
    const at = drawings.findIndex((d) => d.canvas === document.activeElement);
    drawings[at < 0 ? Math.min(active, drawings.length - 1) : (at + 1) % drawings.length].canvas.focus();
    const d = drawings[active];
    d.frame.classList.add("by-keys");
    return d.show();
  }
  if (key === "u") undo();
  else if (key === "c") clear();
  else if (key === "-") resize(-2);
  else if (key === "+" || key === "=") resize(2);
});

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") {
    if (draft && !sending) keep();
    stop();
    return;
  }
  go();
  refresh();
});
window.addEventListener("pagehide", () => draft && !sending && keep());

try {
  show(await insist("/state"));
} catch (e) {
  trouble(e.message);
}
