// The chat page: which user and chat are shown, and what can be done in them.

import { act, follow, hasKey, read } from "./api.js";
import { clear, goTo, show, showTrouble, wireChat } from "./chat.js";
import { edit, reply, say, showComposer, switchTo, wireComposer } from "./composer.js";
import { askForGroup, askForMembers, askForUser, wireDialogs } from "./dialogs.js";
import { el } from "./dom.js";
import { closeOnPressElsewhere, openMenu } from "./menu.js";
import { chatsOf, keyOf, showChats } from "./sidebar.js";
import { attempt, byId, state, toast, where } from "./state.js";

let follower = null;

const actions = {
  say, reply, edit, goTo, toast,
  react: (message, emoji) => attempt(() => act("react", { ...where(), message: message.id, emoji })),
  remove: (message) => attempt(() => act("delete", { ...where(), message: message.id })),
  stop: (draft) => attempt(() => act("stop", { ...where(), draft: draft.id })),
  press: (message, key) => attempt(async () => {
    const { callback_query_id: id } = await act("press", { ...where(), message: message.id, button: key.callback_data ?? key.text });
    const { answer } = await read("callback", { id });
    if (answer?.text) toast(answer.text);
  }),
  enlarge: (url, name, opener) => {
    const close = () => { byId("layer").replaceChildren(); opener.focus(); };
    const view = el("button", { class: "viewer", type: "button", "aria-label": `${name}. Press to close`, onclick: close }, el("img", { src: url, alt: name }));
    view.addEventListener("keydown", (event) => { if (event.key === "Escape" || event.key === "Tab") { event.preventDefault(); close(); } });
    byId("layer").replaceChildren(view);
    view.focus();
  },
};

// --- users and chats -----------------------------------------------------------------------------

function showWorld(world) {
  state.world = world;
  if (!world.users.some((user) => user.id === state.me)) state.me = world.users[0]?.id ?? null;
  const mine = chatsOf(world, state.me);
  if (!mine.some((chat) => chat.id === state.chat && chat.bot === state.bot)) openChat(mine.length ? keyOf(mine[0]) : null);
  showChats(world, openChat);
  if (state.me === null) byId("title").textContent = "Add a user to start";
}

function openChat(key, byPress = false) {
  const [bot, chat] = key === null ? [null, null] : key.split("/");
  if (byPress && byId("app").dataset.view === "list") {
    byId("app").dataset.view = "chat";
    history.pushState({ isChat: true }, "", location.href);
  }
  const isOpen = key !== null && state.chat === Number(chat) && state.bot === (bot === "" ? null : Number(bot));
  if (isOpen && state.view) { show(state.view); byId("text").focus(); return; }
  follower?.abort();
  clear();
  switchTo(key === null ? null : `${state.me} ${key}`);
  state.topic = state.chat = state.bot = null;
  if (key === null) return;
  state.chat = Number(chat);
  state.bot = bot === "" ? null : Number(bot);
  follower = new AbortController();
  const params = state.bot === null ? { chat } : { chat, bot };
  follow("chat", params, follower.signal, showView, trouble);
  if (state.world) showChats(state.world, openChat);
  if (byPress) byId("text").focus();
}

function showView(view) {
  showComposer(view);
  show(view);
  if (state.world) showChats(state.world, openChat);
}

function becomeUser(id) {
  state.me = id;
  openChat(null);
  showWorld(state.world);
}

async function refresh() { showWorld(await read("state", { since: -1 })); }

function trouble(error) {
  if (!state.world) byId("title").textContent = "Not connected";
  showTrouble(error.status === 403 ? "wrong key in the address of this page" : "server not reachable, retrying");
}

function newUser() {
  askForUser(async (name, language) => {
    const user = await act("users", { first_name: name, language_code: language });
    state.me = user.id;
    openChat(null);
    await refresh();
  });
}

function newGroup() {
  const others = state.world.users.filter((user) => user.id !== state.me);
  const bots = state.world.bots.map((bot) => bot.name).join(", ");
  askForGroup(others, bots, async (title, members) => {
    const group = await act("groups", { user: state.me, title, members: members.map((user) => user.id) });
    await refresh();
    openChat(`/${group.id}`, true);
  });
}

function chatMenu() {
  const view = state.view;
  if (!view) return;
  const user = state.me;
  const items = view.type === "private"
    ? [view.blocked
      ? ["Unblock the bot", () => attempt(() => act("unblock", { user, bot: state.bot }))]
      : ["Stop and block the bot", () => attempt(() => act("block", { user, bot: state.bot })), "danger"]]
    : [["Members", () => members(view)], ["Leave the group", () => attempt(async () => { await act("leave", { user, chat: view.id }); await refresh(); }), "danger"]];
  openMenu(byId("chat-menu"), { label: "Chat menu", items });
}

function members(view) {
  const inside = view.accounts.filter((account) => account.id !== state.me);
  const outside = [...state.world.users, ...state.world.bots].filter((account) => !view.members.includes(account.id));
  const fields = (account) => ({ user: state.me, chat: view.id, account: account.id });
  askForMembers(inside, outside, { add: (account) => act("add", fields(account)), remove: (account) => act("remove", fields(account)) });
}

wireChat(actions);
wireComposer();
wireDialogs();
closeOnPressElsewhere();
byId("user").addEventListener("change", (event) => becomeUser(Number(event.target.value)));
byId("topic").addEventListener("change", (event) => {
  const view = state.view;
  clear();
  state.topic = event.target.value === "" ? null : Number(event.target.value);
  if (view) show(view);
});
function showList() {
  byId("app").dataset.view = "list";
  const buttons = [...byId("chats").querySelectorAll("button")];
  (buttons.find((button) => button.attributes["aria-current"]) ?? buttons[0])?.focus();
}

// In a narrow window the browser's own Back button leaves the chat too.
byId("back").addEventListener("click", () => (history.state?.isChat ? history.back() : showList()));
addEventListener("popstate", showList);
byId("new-user").addEventListener("click", newUser);
byId("new-group").addEventListener("click", newGroup);
byId("chat-menu").addEventListener("click", chatMenu);
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});

const asked = new URLSearchParams(location.hash.slice(1)).get("user");
if (asked) state.me = Number(asked);
if (hasKey) follow("state", {}, new AbortController().signal, showWorld, trouble);
else byId("title").textContent = "Open the address that the server has printed: it contains the key";
