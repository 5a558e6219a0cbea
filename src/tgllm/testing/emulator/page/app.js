// The chat page: selection of user and chat, messages, actions.

import { act, follow, hasKey, read, upload } from "./api.js";
import { el } from "./dom.js";
import { messageRow, updateDraft } from "./message.js";

const byId = (id) => document.getElementById(id);
const log = byId("log"), list = byId("messages"), drafts = byId("drafts"), box = byId("text");
const state = { me: null, chat: null, bot: null, topic: null, world: null, view: null, context: null, follower: null };
const shown = new Map();

// --- actions ---------------------------------------------------------------------------------

const where = () => ({ user: state.me, chat: state.chat, bot: state.bot });

async function attempt(work) {
  // Errors of the server have a status, unlike network errors.
  try { return await work(); } catch (error) { toast(error.status ? error.message : "The server can't be reached"); return undefined; }
}

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

const actions = {
  say: (text) => attempt(async () => {
    const fields = { ...where(), topic: state.topic };
    let reply = state.context?.reply ?? null;
    for (const part of parts(text)) { await act("say", { ...fields, text: part, reply_to: reply }); reply = null; }
    return true;
  }),
  react: (message, emoji) => attempt(() => act("react", { ...where(), message: message.id, emoji })),
  remove: (message) => attempt(() => act("delete", { ...where(), message: message.id })),
  stop: (draft) => attempt(() => act("stop", { ...where(), draft: draft.id })),
  reply: (message) => setContext({ reply: message.id }, `Reply to ${message.from.name}: ${message.text}`),
  edit: (message) => { setContext({ edit: message.id }, `Edit: ${message.text}`); box.value = message.text; grow(); },
  press: (message, key) => attempt(async () => {
    const { callback_query_id: id } = await act("press", { ...where(), message: message.id, button: key.callback_data ?? key.text });
    const { answer } = await read("callback", { id });
    if (answer?.text) toast(answer.text);
  }),
  toast,
};

function setContext(context, words = "") {
  state.context = context;
  byId("context").hidden = !context;
  byId("context-text").textContent = words;
  box.focus();
}

async function submit() {
  const text = box.value.trim();
  if (!text || state.chat === null) return;
  const context = state.context;
  const done = context?.edit
    ? await attempt(() => act("edit", { ...where(), message: context.edit, text }))
    : await actions.say(text);
  if (done === undefined) return;
  box.value = "";
  setContext(null);
  grow();
  toEnd();
}

async function send(file) {
  if (!file || state.chat === null) return;
  toast(`Sending ${file.name}…`);
  const caption = box.value.trim();
  const fields = { ...where(), topic: state.topic, caption, reply_to: state.context?.reply };
  if (await attempt(() => upload(fields, file))) { box.value = ""; setContext(null); grow(); byId("toast").hidden = true; }
}

// --- rendering -------------------------------------------------------------------------------

let toastTimer = 0;
function toast(words) {
  const node = byId("toast");
  node.textContent = words;
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { node.hidden = true; }, 3500);
}

let pinned = true;
const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 90;
function toEnd() { pinned = true; log.scrollTop = log.scrollHeight; byId("down").hidden = true; }

function show(view) {
  state.view = view;
  const here = (item) => state.topic === null || item.topic === state.topic;
  showMessages(view.messages.filter(here));
  showDrafts(view.drafts.filter(here), view.title);
  showStatus(view);
  showTopics(view);
  if (pinned) toEnd(); else byId("down").hidden = false;
}

function showMessages(messages) {
  byId("empty").hidden = messages.length > 0;
  const ids = new Set(messages.map((message) => message.id));
  for (const [id, entry] of shown) if (!ids.has(id)) { replaceRow(entry.row, null); shown.delete(id); }
  for (const message of messages) {
    const print = JSON.stringify(message);
    const entry = shown.get(message.id);
    if (entry?.print === print) continue;
    const row = messageRow(message, state.me, actions);
    if (entry) replaceRow(entry.row, row); else list.append(row);
    shown.set(message.id, { print, row });
  }
}

// Keep the keyboard focus on the same button, or move it to the message box.
function replaceRow(old, row) {
  const controls = (node) => [...node.querySelectorAll("button, a")];
  const at = controls(old).indexOf(document.activeElement);
  if (row) old.replaceWith(row); else old.remove();
  if (at >= 0) ((row && controls(row)[at]) ?? box).focus();
}

function showDrafts(items, name) {
  const wanted = new Map(items.map((draft) => [`${draft.topic ?? 0}:${draft.id}`, draft]));
  for (const row of [...drafts.children]) if (!wanted.has(row.dataset.key)) replaceRow(row, null);
  for (const [key, draft] of wanted) {
    let row = [...drafts.children].find((child) => child.dataset.key === key);
    if (!row) { row = el("div", { "data-key": key }); drafts.append(row); }
    if (row.dataset.revision === String(draft.revision) + draft.can_stop) continue;
    row.dataset.revision = String(draft.revision) + draft.can_stop;
    updateDraft(row, draft, name, actions);
  }
}

let actionTimer = 0;
function showStatus(view) {
  clearTimeout(actionTimer);
  if (view.action_seconds > 0) actionTimer = setTimeout(() => showStatus({ ...view, actions: [], action_seconds: 0 }), view.action_seconds * 1000);
  byId("title").textContent = view.title;
  byId("avatar").textContent = (view.title || "?").slice(0, 1).toUpperCase();
  const status = byId("status");
  status.className = view.actions.length || view.drafts.length ? "typing" : "";
  const words = view.blocked ? "blocked" : view.actions.length || view.drafts.length ? "typing" : view.type === "private" ? "bot" : `${view.members.length} members`;
  if (status.dataset.words === words) return;
  status.dataset.words = words;
  status.replaceChildren(words, ...(words === "typing" ? [el("i"), el("i"), el("i")] : []));
}

function options(select, items, value) {
  const print = JSON.stringify([items, value]);
  if (select.dataset.print === print) return;
  select.dataset.print = print;
  select.replaceChildren(...items.map((item) => el("option", { value: item.value, selected: item.value === value }, item.text)));
}

function showTopics(view) {
  byId("topic-label").hidden = view.topics.length === 0;
  const items = view.topics.map((topic) => ({ value: String(topic.id), text: topic.name }));
  options(byId("topic"), [{ value: "", text: "All" }, ...items], state.topic === null ? "" : String(state.topic));
}

function showWorld(world) {
  state.world = world;
  if (!world.users.some((user) => user.id === state.me)) state.me = world.users[0]?.id ?? null;
  options(byId("user"), world.users.map((user) => ({ value: String(user.id), text: user.name })), String(state.me));
  const mine = world.chats.filter((chat) => (chat.bot === null ? chat.members.includes(state.me) : chat.id === state.me) && !chat.migrated_to);
  const key = (chat) => `${chat.bot ?? ""}/${chat.id}`;
  const present = mine.some((chat) => chat.id === state.chat && chat.bot === state.bot);
  const chosen = present ? `${state.bot ?? ""}/${state.chat}` : mine.length ? key(mine[0]) : null;
  options(byId("chat"), mine.map((chat) => ({ value: key(chat), text: chat.title })), chosen);
  if (!present) openChat(chosen);
  if (state.me === null) byId("title").textContent = "Add a user to start";
}

function openChat(key) {
  state.follower?.abort();
  shown.clear();
  list.replaceChildren();
  drafts.replaceChildren();
  state.topic = null;
  state.chat = state.bot = null;
  if (key === null) return;
  const [bot, chat] = key.split("/");
  state.chat = Number(chat);
  state.bot = bot === "" ? null : Number(bot);
  state.follower = new AbortController();
  const params = state.bot === null ? { chat } : { chat, bot };
  follow("chat", params, state.follower.signal, show, trouble);
}

function trouble(error) {
  byId("status").dataset.words = "";
  byId("status").textContent = error.status === 403 ? "wrong key in the address of this page" : "server not reachable, retrying";
}

// --- the composer ----------------------------------------------------------------------------

function grow() {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 140)}px`;
  suggest();
}

function suggest() {
  const panel = byId("suggestions");
  const word = box.value;
  const fitting = /^\/\w*$/.test(word) ? (state.view?.commands ?? []).filter((c) => `/${c.command}`.startsWith(word)) : [];
  panel.hidden = fitting.length === 0;
  panel.replaceChildren(...fitting.map((command) => el("button", { type: "button", role: "option", onclick: () => {
    box.value = ""; grow(); actions.say(`/${command.command}`); box.focus();
  } }, el("b", {}, `/${command.command}`), el("span", {}, command.description))));
}

const offered = () => [...byId("suggestions").children];

function lastOwn() {
  return state.view?.messages.findLast((message) => message.from.id === state.me && message.text && !message.file);
}

box.addEventListener("input", grow);
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
  if (event.key === "Escape") { box.value = ""; setContext(null); grow(); }
  if (event.key === "ArrowDown" && offered().length) { event.preventDefault(); offered()[0].focus(); return; }
  if (event.key === "ArrowUp" && box.value === "" && lastOwn()) { event.preventDefault(); actions.edit(lastOwn()); }
});
byId("suggestions").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
  if (!step && event.key !== "Escape") return;
  event.preventDefault();
  const next = step ? offered()[offered().indexOf(document.activeElement) + step] : null;
  (next ?? box).focus();
});
byId("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
byId("context-end").addEventListener("click", () => { box.value = ""; setContext(null); grow(); });
byId("file").addEventListener("change", (event) => { send(event.target.files[0]); event.target.value = ""; });
log.addEventListener("dragover", (event) => event.preventDefault());
log.addEventListener("drop", (event) => { event.preventDefault(); send(event.dataTransfer.files[0]); });
let lastTop = 0;
log.addEventListener("scroll", () => {
  if (atEnd()) { pinned = true; byId("down").hidden = true; } else if (log.scrollTop < lastTop - 2) pinned = false;
  lastTop = log.scrollTop;
});
const keepEnd = new ResizeObserver(() => { if (pinned) toEnd(); });
[log, list, drafts].forEach((node) => keepEnd.observe(node));
byId("down").addEventListener("click", toEnd);
byId("user").addEventListener("change", (event) => { state.me = Number(event.target.value); openChat(null); showWorld(state.world); });
byId("chat").addEventListener("change", (event) => openChat(event.target.value));
byId("topic").addEventListener("change", (event) => {
  state.topic = event.target.value === "" ? null : Number(event.target.value);
  shown.clear(); list.replaceChildren(); show(state.view); toEnd();
});
byId("new-user").addEventListener("click", () => attempt(async () => {
  const name = prompt("First name of the new user")?.trim();
  if (!name) return;
  state.me = (await act("users", { first_name: name })).id;
  openChat(null);
  showWorld(await read("state", { since: -1 }));
}));
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

const asked = new URLSearchParams(location.hash.slice(1)).get("user");
if (asked) state.me = Number(asked);
if (hasKey) follow("state", {}, new AbortController().signal, showWorld, trouble);
else byId("title").textContent = "Open the address that the server has printed: it contains the key";
