// The message box: texts, files, commands, suggestions and the START button.

import { act, upload } from "./api.js";
import { toEnd } from "./chat.js";
import { el } from "./dom.js";
import { attempt, byId, state, toast, where } from "./state.js";

const box = byId("text");
const LONGEST = 4096;

// Split a long text into messages, as clients do, but not within a surrogate pair.
function parts(text) {
  const found = [];
  for (let at = 0; at < text.length;) {
    let end = Math.min(at + LONGEST, text.length);
    if (end < text.length && /[\uD800-\uDBFF]/.test(text[end - 1])) end -= 1;
    found.push(text.slice(at, end));
    at = end;
  }
  return found;
}

export const say = (text) => attempt(async () => {
  const fields = { ...where(), topic: state.topic };
  let reply = state.context?.reply ?? null;
  for (const part of parts(text)) { await act("say", { ...fields, text: part, reply_to: reply }); reply = null; }
  return true;
});

export function setContext(context, words = "") {
  state.context = context;
  byId("context").hidden = !context;
  byId("context-text").textContent = words;
  box.focus();
}

export function reply(message) { setContext({ reply: message.id }, `Reply to ${message.from.name}: ${message.text}`); }

export function edit(message) {
  setContext({ edit: message.id }, `Edit: ${message.text}`);
  box.value = message.text;
  grow();
}

function reset() {
  box.value = "";
  setContext(null);
  grow();
}

// The unsent text of each chat stays there; a reply or an edit that was begun does not.
const unsent = new Map();
let place = null;
export function switchTo(key) {
  if (key === place) return;
  if (place !== null) unsent.set(place, state.context?.edit ? "" : box.value);
  place = key;
  box.value = unsent.get(key) ?? "";
  state.context = null;
  byId("context").hidden = true;
  grow();
}

async function submit() {
  const text = box.value.trim();
  if (!text || state.chat === null) return;
  const context = state.context;
  const done = context?.edit
    ? await attempt(() => act("edit", { ...where(), message: context.edit, text }))
    : await say(text);
  if (done === undefined) return;
  reset();
  toEnd();
}

async function send(given) {
  const files = [...(given ?? [])];
  if (!files.length || state.chat === null) return;
  toast(files.length === 1 ? `Sending ${files[0].name}…` : `Sending ${files.length} files…`);
  const caption = box.value.trim();
  const fields = { ...where(), topic: state.topic, caption, reply_to: state.context?.reply };
  if (await attempt(() => upload(fields, files))) { reset(); byId("toast").hidden = true; toEnd(); }
}

function grow() {
  box.style.height = "auto";
  // A box that isn't shown has no height.
  if (box.scrollHeight) box.style.height = `${Math.min(box.scrollHeight, 140)}px`;
  suggest();
}

// --- commands --------------------------------------------------------------------------------

function suggest() {
  const panel = byId("suggestions");
  const word = box.value;
  const fitting = /^\/\w*$/.test(word) ? (state.view?.commands ?? []).filter((c) => `/${c.command}`.startsWith(word)) : [];
  panel.hidden = fitting.length === 0;
  panel.replaceChildren(...fitting.map((command) => el("button", { type: "button", onclick: () => {
    box.value = ""; grow(); say(`/${command.command}`); box.focus();
  } }, el("b", {}, `/${command.command}`), el("span", {}, command.description))));
}

const offered = () => [...byId("suggestions").children];

function lastOwn() {
  return state.view?.messages.findLast((message) => message.from.id === state.me && message.text && !message.file);
}

function onKey(event) {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
  if (event.key === "Escape") reset();
  if (event.key === "ArrowDown" && offered().length) { event.preventDefault(); offered()[0].focus(); return; }
  if (event.key === "ArrowUp" && box.value === "" && lastOwn()) { event.preventDefault(); edit(lastOwn()); }
}

function onKeyInSuggestions(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
  if (!step && event.key !== "Escape") return;
  event.preventDefault();
  const next = step ? offered()[offered().indexOf(document.activeElement) + step] : null;
  (next ?? box).focus();
}

// --- START and suggestions -----------------------------------------------------------------------

const used = new Set();
let areHidden = false;

// In a private chat that is empty or whose bot is blocked, a button stands in place of the message box.
export function showComposer(view) {
  const isNew = view.type === "private" && view.messages.length === 0 && view.drafts.length === 0;
  const start = byId("start");
  start.textContent = view.blocked ? "RESTART" : "START";
  start.hidden = !(isNew || view.blocked);
  byId("composer").hidden = !start.hidden;
  byId("commands").hidden = view.commands.length === 0;
  showIdeas(start.hidden ? view.suggestions : []);
}

async function begin() {
  const done = await attempt(async () => {
    if (state.view?.blocked) await act("unblock", { user: state.me, bot: state.bot });
    return act("say", { ...where(), text: "/start" });
  });
  if (done !== undefined) toEnd();
}

let print = "";
function showIdeas(suggestions) {
  const panel = byId("ideas");
  const left = suggestions.map((each, number) => ({ ...each, number })).filter(({ number }) => !used.has(`${state.me} ${number}`));
  const now = JSON.stringify([left, areHidden, state.me]);
  if (now === print) return;
  print = now;
  panel.hidden = areHidden || left.length === 0;
  const chips = left.map(({ label, text, number }) => el("button", { type: "button", title: text, onclick: async () => {
    used.add(`${state.me} ${number}`);
    await attempt(() => act("suggest", { user: state.me, number }));
    if (state.view) showIdeas(state.view.suggestions);
    toEnd();
    box.focus();
  } }, label));
  const hide = el("button", { type: "button", class: "hide", "aria-label": "Hide the suggestions", onclick: () => { areHidden = true; showIdeas(suggestions); box.focus(); } }, "✕");
  panel.replaceChildren(...chips, hide);
  panel.scrollLeft = 0;
}

export function wireComposer() {
  const pane = byId("pane");
  box.addEventListener("input", grow);
  box.addEventListener("keydown", onKey);
  byId("suggestions").addEventListener("keydown", onKeyInSuggestions);
  byId("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  byId("context-end").addEventListener("click", reset);
  byId("commands").addEventListener("click", () => { box.value = box.value === "/" ? "" : "/"; grow(); box.focus(); });
  byId("start").addEventListener("click", begin);
  byId("file").addEventListener("change", async ({ target }) => { const files = [...target.files]; target.value = ""; await send(files); });
  // A file that is dropped beside the messages would be opened in place of the page.
  pane.addEventListener("dragover", (event) => event.preventDefault());
  pane.addEventListener("drop", (event) => { if (event.dataTransfer.files.length) { event.preventDefault(); send(event.dataTransfer.files); } });
  box.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files;
    if (files?.length) { event.preventDefault(); send(files); }
  });
}
