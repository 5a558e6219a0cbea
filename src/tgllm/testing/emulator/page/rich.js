// Rich messages: blocks and rich text (Bot API: RichMessage).

import { codeBlock, el, link, quote, spoiler } from "./dom.js";
import { formula } from "./mathml.js";

const ALIGNS = new Set(["left", "center", "right"]);
const MARKS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", marked: "mark", subscript: "sub", superscript: "sup" };

export function richBlocks(blocks) {
  return blocks.map(block);
}

function text(value) {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(text);
  if (value === null || typeof value !== "object") return [];
  if (value.type === "mathematical_expression") return [formula(value.expression ?? "")];
  const children = text(value.text ?? "");
  if (MARKS[value.type]) return [el(MARKS[value.type], {}, ...children)];
  if (value.type === "url") return [link(value.url, ...children)];
  if (value.type === "email_address") return [link(`mailto:${value.email_address}`, ...children)];
  if (value.type === "phone_number") return [link(`tel:${value.phone_number}`, ...children)];
  if (value.type === "spoiler") return [spoiler(...children)];
  return children;
}

function block(value) {
  switch (value.type) {
    case "paragraph": return el("p", {}, ...text(value.text));
    case "heading": return el(`h${Math.min(6, (value.size ?? 1) + 1)}`, {}, ...text(value.text));
    case "pre": return codeBlock(text(value.text).map((part) => part.textContent ?? part).join(""), value.language);
    case "footer": return el("footer", {}, ...text(value.text));
    case "divider": return el("hr");
    case "thinking": return el("p", { class: "thought" }, ...text(value.text));
    case "mathematical_expression": return formula(value.expression ?? "", true);
    case "list": return el("ul", {}, ...value.items.map(item));
    case "table": return table(value);
    case "details": return el("details", { open: value.is_open === true }, el("summary", {}, ...text(value.summary)), ...richBlocks(value.blocks ?? []));
    case "blockquote": return quote(false, ...richBlocks(value.blocks ?? []), credit(value));
    case "expandable_blockquote": return quote(true, el("p", {}, ...text(value.text)), credit(value));
    case "pullquote": return quote(false, el("p", {}, ...text(value.text)), credit(value));
    case "collage": case "slideshow": return el("div", {}, ...richBlocks(value.blocks ?? []));
    default: return el("p", {}, `[${value.type}]`);
  }
}

function credit(value) {
  return value.credit ? el("footer", {}, "— ", ...text(value.credit)) : null;
}

function item(value) {
  const label = value.has_checkbox ? (value.is_checked ? "☑" : "☐") : value.label;
  const state = value.has_checkbox ? { role: "img", "aria-label": value.is_checked ? "done" : "not done" } : {};
  return el("li", {}, el("span", { class: "label", ...state }, label), el("div", {}, ...richBlocks(value.blocks ?? [])));
}

function table(value) {
  const rows = (value.cells ?? []).map((row) => el("tr", {}, ...row.map((cell) =>
    el(cell.is_header ? "th" : "td", { class: ALIGNS.has(cell.align) ? cell.align : null, colspan: cell.colspan, rowspan: cell.rowspan }, ...text(cell.text ?? "")))));
  const caption = value.caption ? el("caption", {}, ...text(value.caption)) : null;
  return el("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Table" }, el("table", {}, caption, el("tbody", {}, ...rows)));
}
