// Formulas as MathML elements.

import { el } from "./dom.js";
import { parseLatex } from "./latex.js";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const LONGEST = 4000;

// Return a formula; one that can't be drawn is shown as it was written.
export function formula(source, isBlock = false) {
  const tree = source.length > LONGEST ? null : parseLatex(source);
  const tag = isBlock ? "div" : "span";
  const scrolls = isBlock ? { tabindex: "0" } : {};
  if (!tree) return el(tag, { class: "math source" }, el("code", {}, source));
  const math = document.createElementNS(MATHML, "math");
  if (isBlock) math.setAttribute("display", "block");
  math.setAttribute("alttext", source);
  math.append(element(tree));
  return el(tag, { class: "math", ...scrolls }, math);
}

function element([tag, attributes, content]) {
  const node = document.createElementNS(MATHML, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...(typeof content === "string" ? [content] : content.map(element)));
  return node;
}
