// Messages and drafts as elements.

import { fileUrl } from "./api.js";
import { el, link } from "./dom.js";
import { formatted } from "./entities.js";
import { richBlocks } from "./rich.js";

const EMOJI = ["👍", "👎", "❤"];

export function messageRow(message, me, actions) {
  if (message.service) return el("li", { class: "service" }, message.service);
  const mine = message.from.id === me;
  const time = new Date(message.date * 1000);
  const clock = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const marks = [message.pinned ? "📌" : "", message.edited ? "edited" : ""].filter(Boolean).join(" ");
  const bubble = el("article", { class: "bubble", "aria-label": `${mine ? "You" : message.from.name}, ${clock}` },
    mine ? null : el("p", { class: "name" }, message.from.name),
    reply(message.reply_to),
    file(message.file),
    body(message, actions),
    reactions(message, me, actions),
    el("p", { class: "meta" }, marks ? `${marks} · ` : "", el("time", { datetime: time.toISOString() }, clock)),
    tools(message, mine, me, actions));
  return el("li", { class: mine ? "row mine" : "row" }, bubble, keys(message, actions));
}

function body(message, actions) {
  if (message.rich) return el("div", { class: "body rich", dir: message.rich.is_rtl ? "rtl" : null }, ...richBlocks(message.rich.blocks));
  return message.text ? el("div", { class: "body" }, ...formatted(message.text, message.entities, actions)) : null;
}

function reply(to) {
  return to ? el("p", { class: "reply" }, el("b", {}, to.name), to.text || "…") : null;
}

function file(value) {
  if (!value) return null;
  if (value.is_image) {
    const picture = el("img", { class: "picture", alt: value.name ?? "Picture" });
    fileUrl(value.id).then((url) => { picture.src = url; }, () => { picture.alt = "The picture can't be shown"; });
    return picture;
  }
  const save = async () => {
    const anchor = el("a", { href: await fileUrl(value.id), download: value.name ?? "file" });
    anchor.click();
  };
  return el("button", { class: "file", type: "button", onclick: save, "aria-label": `Save ${value.name ?? "file"}` },
    el("i", { "aria-hidden": "true" }, "↓"), el("span", {}, value.name ?? "file", el("small", {}, size(value.size))));
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} kB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

function reactions(message, me, actions) {
  if (!message.reactions.length) return null;
  return el("div", { class: "reactions" }, ...message.reactions.map((given) => {
    const own = given.user === me;
    return el("button", { type: "button", disabled: !own, "aria-label": own ? `Remove reaction ${given.emoji}` : `Reaction ${given.emoji}`,
      onclick: () => actions.react(message, null) }, given.emoji);
  }));
}

function tools(message, mine, me, actions) {
  const button = (name, words, run) => el("button", { type: "button", "aria-label": words, title: words, onclick: run }, name);
  const own = message.reactions.find((given) => given.user === me)?.emoji;
  return el("div", { class: "tools", role: "group", "aria-label": "Message actions" },
    ...EMOJI.map((emoji) => button(emoji, `React with ${emoji}`, () => actions.react(message, own === emoji ? null : emoji))),
    button("↩", "Reply", () => actions.reply(message)),
    mine && message.text && !message.file ? button("✎", "Edit", () => actions.edit(message)) : null,
    mine ? button("🗑", "Delete", () => actions.remove(message)) : null);
}

function keys(message, actions) {
  if (!message.buttons.length) return null;
  return el("div", { class: "keys", role: "group", "aria-label": "Buttons" },
    ...message.buttons.map((row) => el("div", {}, ...row.map((key) => keyButton(key, message, actions)))));
}

function keyButton(key, message, actions) {
  if (key.url) return link(key.url, key.text, " ↗");
  const style = ["danger", "primary"].includes(key.style) ? key.style : "";
  const run = key.copy_text
    ? () => navigator.clipboard.writeText(key.copy_text.text).then(() => actions.toast("Copied"))
    : () => actions.press(message, key);
  return el("button", { type: "button", class: style, disabled: Boolean(key.disabled), onclick: run }, key.text);
}

// Update a draft in its element, so that only new text fades in.
export function updateDraft(row, draft, name, actions) {
  const thinking = !draft.text && !draft.rich;
  row.className = thinking ? "row draft thinking" : "row draft";
  const before = row.dataset.text ?? "";
  row.dataset.text = draft.text;
  const grown = !draft.rich && !draft.entities.length && before && draft.text.startsWith(before);
  const parts = draft.rich ? richBlocks(draft.rich.blocks)
    : grown ? [before, el("span", { class: "fresh" }, draft.text.slice(before.length))]
    : formatted(draft.text, draft.entities, actions);
  const stop = draft.can_stop
    ? row.querySelector(".stop") ?? el("button", { type: "button", class: "stop", onclick: () => actions.stop(draft) }, "■ Stop")
    : null;
  const content = el("div", { class: draft.rich ? "body rich" : "body" }, ...(thinking ? ["Thinking…"] : parts));
  const bubble = el("article", { class: "bubble", "aria-busy": "true", "aria-label": `${name} is writing` }, el("p", { class: "name" }, name), content);
  const focused = document.activeElement === stop;
  row.replaceChildren(bubble, ...(stop ? [stop] : []));
  if (focused) stop.focus();
}
