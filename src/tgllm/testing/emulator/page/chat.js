// The open chat: its messages and drafts, its state, and the position of the reader.

import { act } from "./api.js";
import { avatar, el } from "./dom.js";
import { updateDraft } from "./draft.js";
import { announcement, rowsOf } from "./layout.js";
import { messageRow } from "./message.js";
import { badge, showOptions } from "./sidebar.js";
import { byId, state, where } from "./state.js";

const log = byId("log"), list = byId("messages"), drafts = byId("drafts");
const shown = new Map();
let actions = {};

// --- the position --------------------------------------------------------------------------------

// While pinned, the newest message stays in sight; a reader who scrolls up unpins.
let pinned = true, lastTop = 0, newest = 0, first = true;
const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 60;

export function toEnd() {
  pinned = true;
  log.scrollTop = log.scrollHeight;
  byId("down").hidden = true;
  markRead();
}

function onScroll() {
  if (atEnd()) { pinned = true; byId("down").hidden = true; markRead(); } else if (log.scrollTop < lastTop - 2) { pinned = false; showDown(); }
  lastTop = log.scrollTop;
  if (!pinned) showDay();
}

// The day of the messages in sight stays at the top while the reader scrolls.
let dayTimer = 0;
function showDay() {
  log.classList.add("scrolled");
  clearTimeout(dayTimer);
  dayTimer = setTimeout(() => log.classList.remove("scrolled"), 1200);
}

function showDown() {
  const count = state.view?.unread[state.me] ?? 0;
  byId("down").hidden = pinned || atEnd();
  badge(byId("down-unread"), count);
}

let readUpTo = 0;
function markRead() {
  const isSeen = pinned && state.view && document.visibilityState !== "hidden" && (byId("app").dataset.view === "chat" || innerWidth > 760);
  if (!isSeen || newest <= readUpTo || !state.view.unread[state.me]) return;
  readUpTo = newest;
  act("read", { ...where(), message: newest }).catch(() => { readUpTo = 0; });
}

// Show a message that another one replies to.
export function goTo(id) {
  const row = shown.get(`message ${id}`)?.row;
  if (!row) return;
  pinned = false;
  row.scrollIntoView({ block: "center" });
  row.classList.add("found");
  setTimeout(() => row.classList.remove("found"), 1500);
}

// --- messages ----------------------------------------------------------------------------------

export function clear() {
  shown.clear();
  list.replaceChildren();
  drafts.replaceChildren();
  byId("empty").hidden = true;
  state.view = null;
  [newest, readUpTo, first, pinned] = [0, 0, true, true];
}

export function show(view) {
  state.view = view;
  const here = (item) => state.topic === null || item.topic === state.topic;
  const messages = view.messages.filter(here);
  showMessages(messages, view);
  showDrafts(view.drafts.filter(here), view.title);
  showHead(view);
  showEmpty(view, messages);
  announce(messages);
  newest = view.messages.at(-1)?.id ?? 0;
  // Not on a phone, where its keyboard would cover the chat.
  if (first && innerWidth > 760 && document.activeElement === document.body) (byId("start").hidden ? byId("text") : byId("start")).focus();
  first = false;
  if (pinned) toEnd(); else showDown();
}

function showMessages(messages, view) {
  const rows = rowsOf(messages, new Date());
  const keys = new Set(rows.map((row) => row.key));
  for (const [key, entry] of shown) if (!keys.has(key)) { replaceRow(entry.row, null); shown.delete(key); }
  const place = { me: state.me, isPrivate: view.type === "private" };
  for (const { key, day, message, isFirst, isLast } of rows) {
    const print = JSON.stringify([day, message, isFirst, isLast]);
    const entry = shown.get(key);
    if (entry?.print === print) continue;
    const row = day ? el("li", { class: "day" }, el("span", {}, day)) : messageRow(message, { ...place, isFirst, isLast }, actions);
    if (entry) replaceRow(entry.row, row); else list.append(row);
    shown.set(key, { print, row });
  }
}

// Keep the keyboard focus on the same button, or move it to the message box.
function replaceRow(old, row) {
  const controls = (node) => [...node.querySelectorAll("button, a")];
  const at = controls(old).indexOf(document.activeElement);
  if (row) old.replaceWith(row); else old.remove();
  if (at >= 0) ((row && controls(row)[at]) ?? byId("text")).focus();
}

function showDrafts(items, name) {
  const wanted = new Map(items.map((draft) => [`${draft.topic ?? 0}:${draft.id}`, draft]));
  for (const row of [...drafts.children]) if (!wanted.has(row.dataset.key)) replaceRow(row, null);
  for (const [key, draft] of wanted) {
    let row = [...drafts.children].find((child) => child.dataset.key === key);
    if (!row) { row = el("div", { "data-key": key }); drafts.append(row); }
    const revision = `${draft.revision} ${draft.can_stop}`;
    if (row.dataset.revision === revision) continue;
    row.dataset.revision = revision;
    updateDraft(row, draft, name, actions);
  }
}

// New messages of others, for a screen reader; not those that were there when the chat was opened.
function announce(messages) {
  const added = messages.filter((message) => message.id > newest && message.from.id !== state.me);
  if (!first && added.length) byId("news").replaceChildren(...added.slice(-3).map((message) => el("p", {}, announcement(message))));
}

function showEmpty(view, messages) {
  const empty = byId("empty");
  empty.hidden = messages.length > 0 || view.drafts.length > 0;
  if (empty.hidden) return;
  const isBot = view.type === "private";
  empty.replaceChildren(
    el("h2", {}, isBot ? "What can this bot do?" : "No messages here yet"),
    el("p", {}, isBot ? view.description || `Press START to talk to ${view.title}.` : "Write something. Mention the bot, or reply to it."));
}

// --- the header ----------------------------------------------------------------------------------

let actionTimer = 0;
function showHead(view) {
  clearTimeout(actionTimer);
  if (view.action_seconds > 0) actionTimer = setTimeout(() => showHead({ ...view, actions: [], action_seconds: 0 }), view.action_seconds * 1000);
  byId("title").textContent = view.title;
  avatar(byId("avatar"), view.title, view.bot ?? view.id);
  const status = byId("status");
  const isBusy = view.actions.length > 0 || view.drafts.length > 0;
  status.className = isBusy ? "typing" : "";
  const words = view.blocked ? "blocked" : isBusy ? "typing" : view.type === "private" ? "bot" : `${view.members.length} members`;
  const items = view.topics.map((topic) => ({ value: String(topic.id), text: topic.name }));
  byId("topic-label").hidden = items.length === 0;
  showOptions(byId("topic"), [{ value: "", text: "All" }, ...items], state.topic === null ? "" : String(state.topic));
  if (status.dataset.words === words) return;
  status.dataset.words = words;
  status.replaceChildren(words, ...(words === "typing" ? [el("i"), el("i"), el("i")] : []));
}

export function showTrouble(words) {
  byId("status").dataset.words = "";
  byId("status").className = "";
  byId("status").textContent = words;
}

export function wireChat(given) {
  actions = given;
  log.addEventListener("scroll", onScroll);
  document.addEventListener("visibilitychange", markRead);
  const keepEnd = new ResizeObserver(() => { if (pinned) toEnd(); });
  [log, list, drafts].forEach((node) => keepEnd.observe(node));
  byId("down").addEventListener("click", () => { toEnd(); byId("text").focus(); });
}
