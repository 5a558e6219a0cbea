// Menus of messages and chats. One is open at most; Escape, Tab and a press elsewhere close it.

import { el } from "./dom.js";
import { byId } from "./state.js";

let opener = null;

export function closeMenu(returnFocus = false) {
  if (!opener) return;
  byId("layer").replaceChildren();
  opener.setAttribute("aria-expanded", "false");
  if (returnFocus) opener.focus();
  opener = null;
}

// Open a menu at a button, or at a point of the window. Items are [words, action, class]; emoji are [emoji, words, action].
export function openMenu(button, { items, emoji = [], label }, point = null) {
  const wasOpen = opener === button;
  closeMenu();
  if (wasOpen && !point) return;
  opener = button;
  button.setAttribute("aria-expanded", "true");
  const run = (action) => () => { closeMenu(true); action(); };
  const reactions = emoji.map(([sign, words, action, isOn]) =>
    el("button", { type: "button", role: "menuitem", tabindex: "-1", class: isOn ? "on" : "", "aria-label": words, title: words, onclick: run(action) }, sign));
  const menu = el("div", { class: "menu", role: "menu", "aria-label": label },
    reactions.length ? el("div", { class: "menu-emoji", role: "group", "aria-label": "Reactions" }, ...reactions) : null,
    ...items.filter(Boolean).map(([words, action, look]) =>
      el("button", { type: "button", role: "menuitem", tabindex: "-1", class: look ?? "", onclick: run(action) }, words)));
  menu.addEventListener("keydown", (event) => onKey(event, menu));
  byId("layer").replaceChildren(menu);
  place(menu, point ?? below(button));
  menu.querySelectorAll("button")[0]?.focus();
}

function below(button) {
  const { left, bottom } = button.getBoundingClientRect();
  return [left, bottom + 4];
}

function place(menu, [x, y]) {
  const { offsetWidth, offsetHeight } = menu;
  menu.style.left = `${Math.max(8, Math.min(x, innerWidth - offsetWidth - 8))}px`;
  menu.style.top = `${Math.max(8, Math.min(y, innerHeight - offsetHeight - 8))}px`;
}

function onKey(event, menu) {
  if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); closeMenu(true); return; }
  if (event.key === "Tab") { closeMenu(true); return; }
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  const all = [...menu.querySelectorAll("button")];
  if (event.key === "Home" || event.key === "End") { event.preventDefault(); all.at(event.key === "Home" ? 0 : -1).focus(); }
  if (!step) return;
  event.preventDefault();
  all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
}

export function closeOnPressElsewhere() {
  document.addEventListener("pointerdown", (event) => {
    if (opener && !byId("layer").contains(event.target) && !opener.contains(event.target)) closeMenu();
  });
}
