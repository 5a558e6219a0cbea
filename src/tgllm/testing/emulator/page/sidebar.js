// The list of chats of the current user.

import { avatar, el } from "./dom.js";
import { countWords } from "./layout.js";
import { byId, state } from "./state.js";
import { listTime } from "./times.js";

export const keyOf = (chat) => `${chat.bot ?? ""}/${chat.id}`;

export const chatsOf = (world, user) => world.chats.filter((chat) =>
  (chat.bot === null ? chat.members.includes(user) : chat.id === user) && !chat.migrated_to);

export const unreadOf = (chat) => chat.unread[state.me] ?? 0;

export function showOptions(select, items, value) {
  const print = JSON.stringify([items, value]);
  if (select.dataset.print === print) return;
  select.dataset.print = print;
  select.replaceChildren(...items.map((item) => el("option", { value: item.value, selected: item.value === value }, item.text)));
}

let print = "";
export function showChats(world, open) {
  const users = world.users.map((user) => ({ value: String(user.id), text: user.name }));
  showOptions(byId("user"), users, String(state.me));
  const me = world.users.find((user) => user.id === state.me);
  avatar(byId("me-avatar"), me?.name ?? "?", state.me ?? 0);
  const chats = chatsOf(world, state.me).sort((a, b) => (b.last_date ?? 0) - (a.last_date ?? 0));
  const others = chats.filter((chat) => chat.id !== state.chat || chat.bot !== state.bot);
  const waiting = others.reduce((sum, chat) => sum + unreadOf(chat), 0);
  badge(byId("back-unread"), waiting, "in other chats");
  const all = chats.reduce((sum, chat) => sum + unreadOf(chat), 0);
  document.title = `${all ? `(${countWords(all)}) ` : ""}${state.view?.title ?? "Chat with the bot"}`;
  const now = JSON.stringify([chats, state.me, state.chat, state.bot]);
  if (now === print) return;
  print = now;
  const list = byId("chats");
  const focused = document.activeElement?.dataset?.key;
  list.replaceChildren(...chats.map((chat) => el("li", {}, chatButton(chat, open))));
  if (focused) list.querySelectorAll("button").forEach((button) => { if (button.dataset.key === focused) button.focus(); });
}

export function badge(node, count, words) {
  node.hidden = count === 0;
  node.textContent = count ? countWords(count) : "";
  node.setAttribute("aria-label", `${count} unread ${count === 1 ? "message" : "messages"}${words ? ` ${words}` : ""}`);
}

function chatButton(chat, open) {
  const isOpen = chat.id === state.chat && chat.bot === state.bot;
  const count = el("span", { class: "badge", role: "img" });
  badge(count, unreadOf(chat));
  const own = chat.last_from && chat.bot === null && !chat.last_is_service
    ? el("b", {}, chat.last_from.id === state.me ? "You: " : `${chat.last_from.name}: `)
    : chat.last_from?.id === state.me ? el("b", {}, "You: ") : null;
  const time = chat.last_date === null ? "" : listTime(new Date(chat.last_date * 1000), new Date());
  return el("button", { class: "chat", type: "button", "data-key": keyOf(chat), "aria-current": isOpen ? "true" : null, onclick: () => open(keyOf(chat), true) },
    avatar(el("span", { "aria-hidden": "true" }), chat.title, chat.bot ?? chat.id),
    el("span", { class: "chat-top" }, el("span", { class: "chat-title" }, chat.title), el("span", { class: "chat-time" }, time)),
    el("span", { class: "chat-bottom" }, el("span", { class: "chat-last" }, own, chat.last || "No messages yet"), count));
}
