// Text with entities. Offsets are in UTF-16 units, like indexes of JavaScript strings.

import { codeBlock, el, link, quote, spoiler } from "./dom.js";

const PLAIN = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code" };

export function formatted(text, entities, actions) {
  const ordered = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return inside(text, 0, text.length, ordered, actions);
}

const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

// Blocks are on their own lines, so the line breaks around them are omitted.
function inside(text, start, end, entities, actions) {
  const nodes = [];
  let at = start;
  let rest = entities;
  const plain = (from, to, cut) => { if (from < to) nodes.push(text.slice(from, cut && text[to - 1] === "\n" ? to - 1 : to)); };
  while (rest.length) {
    const [entity, ...others] = rest;
    const stop = Math.min(entity.offset + entity.length, end);
    plain(at, entity.offset, BLOCKS.has(entity.type));
    const nested = others.filter((other) => other.offset < stop);
    nodes.push(wrap(entity, text, entity.offset, stop, nested, actions));
    rest = others.filter((other) => other.offset >= stop);
    at = BLOCKS.has(entity.type) && text[stop] === "\n" ? stop + 1 : stop;
  }
  plain(at, end, false);
  return nodes;
}

function wrap(entity, text, start, stop, nested, actions) {
  const raw = text.slice(start, stop);
  if (entity.type === "pre") return codeBlock(raw, entity.language);
  const children = inside(text, start, stop, nested, actions);
  if (PLAIN[entity.type]) return el(PLAIN[entity.type], {}, ...children);
  switch (entity.type) {
    case "text_link": return link(entity.url, ...children);
    case "url": return link(raw.includes("://") ? raw : `https://${raw}`, ...children);
    case "email": return link(`mailto:${raw}`, ...children);
    case "phone_number": return link(`tel:${raw.replace(/[^+\d]/g, "")}`, ...children);
    case "spoiler": return spoiler(...children);
    case "blockquote": return quote(false, ...children);
    case "expandable_blockquote": return quote(true, ...children);
    case "bot_command": return command(raw, actions);
    case "mention": case "hashtag": case "cashtag": case "text_mention": return el("span", { class: "tag" }, ...children);
    default: return el("span", {}, ...children);
  }
}

// A press sends the command.
function command(text, actions) {
  const send = (event) => { event.preventDefault(); actions.say(text); };
  return el("a", { href: "#", class: "link", role: "button", title: `Send ${text}`, onclick: send }, text);
}
