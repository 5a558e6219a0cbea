// Messages as elements.

import { fileUrl } from "./api.js";
import { avatar, copyText, el, link } from "./dom.js";
import { formatted } from "./entities.js";
import { pictureSize } from "./layout.js";
import { openMenu } from "./menu.js";
import { richBlocks } from "./rich.js";
import { clock } from "./times.js";

const EMOJI = ["👍", "👎", "❤", "🔥", "🎉", "😁"];

// The row of a message; place says whether names are shown, and where it is among the messages of its sender.
export function messageRow(message, place, actions) {
  if (message.service) return el("li", { class: "service" }, el("span", {}, message.service));
  const { me, isPrivate, isFirst, isLast } = place;
  const mine = message.from.id === me;
  const named = !mine && !isPrivate;
  const time = new Date(message.date * 1000);
  const bubble = el("article", { class: bubbleClass(message), "aria-label": `${mine ? "You" : message.from.name}, ${clock(time)}${message.edited ? ", edited" : ""}` },
    named && isFirst ? el("p", { class: `name color${Math.abs(message.from.id) % 7}` }, message.from.name) : null,
    reply(message.reply_to, actions),
    file(message.file, actions),
    ...bodyWithTime(message, meta(message, time), me, actions));
  const more = moreButton(message, mine, me, actions);
  bubble.addEventListener("contextmenu", (event) => {
    // The browser's own menu copies links, code and selected text.
    if (event.target.closest("a, pre, img") || String(getSelection())) return;
    event.preventDefault();
    openMenu(more, menuOf(message, mine, me, actions), [event.clientX, event.clientY]);
  });
  const names = ["row", mine ? "mine" : "", isFirst ? "first" : "", isLast ? "last" : "", named ? "named" : ""].filter(Boolean);
  return el("li", { class: names.join(" ") },
    named && isLast ? avatar(el("span", { class: "small", "aria-hidden": "true" }), message.from.name, message.from.id) : null,
    el("div", { class: "post" }, bubble, more, keys(message, actions)));
}

function bubbleClass(message) {
  const onlyPicture = message.file?.is_image && !message.text && !message.reactions.length;
  return onlyPicture ? "bubble only-picture" : message.file?.is_image ? "bubble with-picture" : "bubble";
}

function meta(message, time) {
  return el("span", { class: "meta" }, message.pinned ? el("span", { role: "img", "aria-label": "Pinned" }, "📌 ") : null,
    message.edited ? "edited " : "", el("time", { datetime: time.toISOString() }, clock(time)));
}

// The text, reactions and the time, which stands at the end of the last line if there is room.
function bodyWithTime(message, time, me, actions) {
  const given = reactions(message, me, actions);
  const body = message.rich
    ? el("div", { class: "body rich", dir: message.rich.is_rtl ? "rtl" : null }, ...richBlocks(message.rich.blocks, actions))
    : message.text ? el("div", { class: "body" }, ...formatted(message.text, message.entities, actions)) : null;
  if (given) { given.append(time); return [body, given]; }
  const line = body && lastLine(body, Boolean(message.rich));
  if (line) { line.append(time); return [body]; }
  time.className = "meta alone";
  return [body, time];
}

const BLOCKS = new Set(["FIGURE", "BLOCKQUOTE", "TABLE", "DIV", "DETAILS", "HR"]);

// The element whose text ends the message; null if a block ends it that is no text.
function lastLine(node, isRich) {
  const last = node.lastChild;
  if (!isRich) return BLOCKS.has(last?.tagName) ? null : node;
  if (!last?.tagName) return null;
  if (/^(P|H\d|FOOTER)$/.test(last.tagName)) return last;
  if (last.tagName === "UL") return last.lastChild && lastLine(last.lastChild.lastChild, true);
  return null;
}

function reply(to, actions) {
  if (!to) return null;
  return el("button", { class: "reply", type: "button", "aria-label": `In reply to ${to.name}: ${to.text}`, onclick: () => actions.goTo(to.id) },
    el("b", {}, to.name), el("span", {}, to.text || "…"));
}

function file(value, actions) {
  if (!value) return null;
  return value.is_image ? picture(value, actions) : attachment(value);
}

// The room for a picture is reserved before it is loaded, so that nothing moves.
function picture(value, actions) {
  const [width, height] = pictureSize(value.width, value.height);
  const image = el("img", { alt: value.name ?? "Picture" });
  const frame = el("button", { class: "picture", type: "button", "aria-label": `Picture ${value.name ?? ""}`.trim() }, image);
  frame.style.width = `${width}px`;
  frame.style.aspectRatio = `${width} / ${height}`;
  const failed = () => { frame.replaceChildren("The picture can't be shown"); };
  image.addEventListener("error", failed);
  fileUrl(value.id).then((url) => {
    image.src = url;
    frame.addEventListener("click", () => actions.enlarge(url, value.name ?? "Picture", frame));
  }, failed);
  return frame;
}

function attachment(value) {
  const save = async () => {
    const anchor = el("a", { href: await fileUrl(value.id), download: value.name ?? "file" });
    anchor.click();
  };
  return el("button", { class: "file", type: "button", onclick: save, "aria-label": `Save ${value.name ?? "file"}, ${size(value.size)}` },
    el("i", { "aria-hidden": "true" }, "↓"), el("span", {}, value.name ?? "file", el("small", {}, size(value.size))));
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} kB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

function reactions(message, me, actions) {
  if (!message.reactions.length) return null;
  const counts = new Map();
  for (const given of message.reactions) {
    const entry = counts.get(given.emoji) ?? { count: 0, own: false };
    counts.set(given.emoji, { count: entry.count + 1, own: entry.own || given.user === me });
  }
  return el("div", { class: "reactions" }, ...[...counts].map(([emoji, { count, own }]) =>
    el("button", { type: "button", class: own ? "own" : "", "aria-pressed": String(own), "aria-label": `${emoji} ${count}`,
      onclick: () => actions.react(message, own ? null : emoji) }, emoji, count > 1 ? ` ${count}` : "")));
}

function moreButton(message, mine, me, actions) {
  const button = el("button", { class: "more", type: "button", "aria-label": "Message actions", "aria-haspopup": "menu", "aria-expanded": "false",
    onclick: () => openMenu(button, menuOf(message, mine, me, actions)) }, "⋯");
  return button;
}

function menuOf(message, mine, me, actions) {
  const own = message.reactions.find((given) => given.user === me)?.emoji;
  const emoji = EMOJI.map((sign) => [sign, own === sign ? `Remove ${sign}` : `React with ${sign}`, () => actions.react(message, own === sign ? null : sign), own === sign]);
  const copy = async () => actions.toast((await copyText(message.text)) ? "Copied" : "The browser doesn't allow to copy");
  return { label: "Message actions", emoji, items: [
    ["Reply", () => actions.reply(message)],
    message.text ? ["Copy text", copy] : null,
    mine && message.text && !message.file ? ["Edit", () => actions.edit(message)] : null,
    mine ? ["Delete", () => actions.remove(message), "danger"] : null,
  ] };
}

// The buttons of a message, as wide as its bubble.
function keys(message, actions) {
  if (!message.buttons.length) return null;
  return el("div", { class: "keys", role: "group", "aria-label": "Buttons" },
    ...message.buttons.map((row) => el("div", {}, ...row.map((key) => keyButton(key, message, actions)))));
}

function keyButton(key, message, actions) {
  const label = el("span", {}, key.text);
  if (key.url) return link(key.url, label, el("i", { "aria-hidden": "true" }, "↗"));
  const style = ["danger", "primary", "success"].includes(key.style) ? key.style : "";
  const button = el("button", { type: "button", class: style, title: key.text, disabled: Boolean(key.disabled), onclick: async () => {
    if (key.copy_text) {
      actions.toast((await copyText(key.copy_text.text)) ? "Copied" : "The browser doesn't allow to copy");
      return;
    }
    button.classList.add("busy");
    await actions.press(message, key);
    button.classList.remove("busy");
  } }, label);
  return button;
}
