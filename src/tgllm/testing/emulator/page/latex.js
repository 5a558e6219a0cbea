// LaTeX formulas as a tree of MathML elements: [tag, attributes, children]; the children of a token are its text.
// What is not known is shown as it was written; a formula that can't be read as a whole gives null.

import { ACCENTS, ALPHABETS, BIG, FUNCTIONS, GREEK, LIMITS, OPERATORS, SPACES } from "./latex_names.js";

const DEEPEST = 40;
const TOKEN = /\s+|\\(?:[A-Za-z]+\*?|[\s\S])|\d+(?:\.\d+)?|'+|[\s\S]/gu;

const NAMES = new Set(FUNCTIONS.values());
const token = (tag, text, attributes = {}) => [tag, attributes, text];
const node = (tag, children, attributes = {}) => [tag, attributes, children];
const row = (children) => (children.length === 1 ? children[0] : node("mrow", children));
const operator = (text, attributes = {}) => token("mo", text, attributes);

export function parseLatex(source) {
  try {
    const reader = new Reader(source.match(TOKEN) ?? []);
    const tree = reader.rows([]);
    return reader.at < reader.tokens.length ? null : tree;
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
}

class Unreadable extends Error {}

class Reader {
  constructor(tokens) { this.tokens = tokens; this.at = 0; this.depth = 0; }

  get next() { return this.tokens[this.at]; }
  space() { while (this.at < this.tokens.length && /^\s/.test(this.next)) this.at += 1; }
  take() { this.space(); if (this.at >= this.tokens.length) throw new Unreadable(); return this.tokens[this.at++]; }
  peek() { this.space(); return this.next; }

  // Rows and columns up to one of the ends, which is left; a single cell is no table.
  rows(ends, table = null) {
    if (this.depth > DEEPEST) throw new Unreadable();
    this.depth += 1;
    const lines = [[]];
    for (;;) {
      lines.at(-1).push(this.cell([...ends, "&", "\\\\", "\\cr"]));
      const end = this.peek();
      if (end === "&") { this.take(); continue; }
      if (end !== "\\\\" && end !== "\\cr") break;
      this.take();
      if (this.peek() === "[") this.until("]");
      lines.push([]);
    }
    this.depth -= 1;
    const last = lines.at(-1);
    if (lines.length > 1 && last.length === 1 && isEmpty(last[0])) lines.pop();
    if (!table && lines.length === 1 && lines[0].length === 1) return lines[0][0];
    const cells = lines.map((line) => node("mtr", line.map((cell) => node("mtd", [cell]))));
    return node("mtable", cells, table ?? { class: "aligned" });
  }

  cell(ends) {
    const found = [];
    for (let next = this.peek(); next !== undefined && !ends.includes(next); next = this.peek()) {
      if (next === "}" || next === "\\right" || next === "\\end") break;
      const over = { "\\over": "frac", "\\choose": "binom" }[next];
      if (over) {
        this.take();
        return fraction(over, row(found), this.cell(ends));
      }
      const made = this.withScripts();
      const before = found.at(-1), after = this.peek() ?? "";
      // A sign after an operator belongs to what follows.
      if (made[0] === "mo" && "−+±∓".includes(made[2]) && before?.[0] === "mo" && !")]}!|′".includes(before[2])) made[1].form = "prefix";
      if (isFunction(made) && before && ["mi", "mn", "msup", "msub"].includes(before[0])) found.push(space());
      found.push(made);
      if (isFunction(made) && /^(?:[\p{L}\d{]|\\[A-Za-z])/u.test(after) && !/^\\(?:left|right|end|big|Big|over)/.test(after)) found.push(space());
    }
    return row(found);
  }

  // An item and what is raised or lowered beside it.
  withScripts() {
    let base = "^_'".includes(this.peek()[0]) ? row([]) : this.item();
    let below = null, above = null;
    const asLimits = isLimits(base);
    for (let next = this.peek(); next !== undefined; next = this.peek()) {
      if (next === "\\limits" || next === "\\nolimits") this.take();
      else if (next[0] === "'" && !above) above = operator("′".repeat(this.take().length));
      else if (next === "^") {
        this.take();
        const raised = this.argument();
        above = above ? row([above, raised]) : raised;
      } else if (next === "_" && !below) { this.take(); below = this.argument(); } else break;
    }
    const [under, over, both] = asLimits ? ["munder", "mover", "munderover"] : ["msub", "msup", "msubsup"];
    if (below && above) base = node(both, [base, below, above]);
    else if (below) base = node(under, [base, below]);
    else if (above) base = node(over, [base, above]);
    return base;
  }

  argument() {
    if (this.depth > DEEPEST) throw new Unreadable();
    this.depth += 1;
    const next = this.peek() ?? "";
    // An argument without braces is one character: \frac12 is a half.
    if (/^\d./.test(next)) this.tokens.splice(this.at, 1, next[0], next.slice(1));
    const found = this.item();
    this.depth -= 1;
    return found;
  }

  group() {
    const found = this.rows(["}"]);
    if (this.take() !== "}") throw new Unreadable();
    return found;
  }

  // The text of an argument, as it was written.
  raw() {
    if (this.peek() !== "{") return this.take();
    this.take();
    let text = "", open = 1;
    while (this.at < this.tokens.length) {
      const next = this.tokens[this.at++];
      if (next === "{") open += 1;
      if (next === "}" && --open === 0) return text;
      text += next;
    }
    throw new Unreadable();
  }

  until(end) {
    let text = "";
    for (let next = this.take(); next !== end; next = this.take()) text += next;
    return text;
  }

  item() {
    const next = this.take();
    if (next === "{") return this.group();
    if (next === "}" || next === "&" || next === "\\\\") throw new Unreadable();
    if (/^\d/.test(next)) return token("mn", next);
    if (next[0] === "\\" && next.length > 1) return this.command(next.slice(1));
    if (next === "~") return node("mspace", [], { width: "0.33em" });
    if (/^\p{L}$/u.test(next)) return token("mi", next);
    if (next === "-") return operator("−");
    if (next === "*") return operator("∗");
    if ("()[]|".includes(next)) return operator(next, { stretchy: "false" });
    return operator(next);
  }

  command(name) {
    if (name in SPACES) return node("mspace", [], { width: SPACES[name] });
    if (name in GREEK) return token("mi", GREEK[name], /^[A-Z]/.test(name) ? { mathvariant: "normal" } : {});
    if (name in BIG) return operator(BIG[name], { largeop: "true" });
    if (name in OPERATORS) return operator(OPERATORS[name], "{}|‖⟨⟩⌊⌋⌈⌉".includes(OPERATORS[name]) ? { stretchy: "false" } : {});
    if (FUNCTIONS.has(name)) return token("mi", FUNCTIONS.get(name));
    if (name in ACCENTS) {
      const [tag, mark, stretchy] = ACCENTS[name];
      return node(tag, [this.argument(), operator(mark, { stretchy: String(stretchy) })], { accent: "true" });
    }
    if (name in ALPHABETS) return alphabet(this.argument(), ALPHABETS[name]);
    switch (name) {
      case "frac": case "dfrac": case "tfrac": case "cfrac": case "binom": case "dbinom": case "tbinom":
        return fraction(name, this.argument(), this.argument());
      case "sqrt": return this.root();
      case "text": case "textrm": case "textit": case "textbf": case "textsf": case "texttt": case "mbox": case "hbox":
        return token("mtext", this.raw().replace(/\\(.)/gsu, "$1"));
      case "operatorname": case "operatorname*": case "mathrm": case "mathop": case "mathsf": case "mathtt": case "rm":
        return upright(name === "rm" ? this.cellArgument() : this.argument());
      case "stackrel": case "overset": { const above = this.argument(); return node("mover", [this.argument(), above]); }
      case "underset": { const below = this.argument(); return node("munder", [this.argument(), below]); }
      case "left": return this.fenced();
      case "begin": return this.environment();
      case "not": return this.negated();
      case "boxed": return node("mrow", [this.argument()], { class: "boxed" });
      case "phantom": return node("mphantom", [this.argument()]);
      case "pmod": { const of = this.argument(); return row([operator("("), token("mi", "mod"), space(), of, operator(")")]); }
      case "bmod": return row([space(), token("mi", "mod"), space()]);
      case "ce": return chemistry(this.raw());
      case "xrightarrow": case "xleftarrow":
        return node("mover", [operator(name === "xrightarrow" ? "→" : "←", { stretchy: "true" }), this.argument()]);
      case "substack": case "cancel": case "mathclap": case "mathstrut": return this.argument();
      case "displaystyle": case "textstyle": case "nonumber": case "notag": case "hline": case "scriptstyle": return row([]);
      case "color": case "tag": case "label": case "hspace": case "vspace": this.raw(); return row([]);
      case "textcolor": this.raw(); return this.argument();
      case "mathord": case "mathbin": case "mathrel": return this.argument();
      case "big": case "Big": case "bigg": case "Bigg": case "bigl": case "bigr": case "Bigl": case "Bigr":
      case "biggl": case "biggr": case "Biggl": case "Biggr": case "middle":
        return operator(this.delimiter());
      default: return name.length === 1 && !/\p{L}/u.test(name) ? operator(name) : token("mtext", `\\${name}`);
    }
  }

  cellArgument() { return this.cell(["&", "\\\\"]); }

  root() {
    let degree = null;
    if (this.peek() === "[") { this.take(); degree = this.cell(["]"]); if (this.take() !== "]") throw new Unreadable(); }
    const inner = this.argument();
    return degree ? node("mroot", [inner, degree]) : node("msqrt", [inner]);
  }

  delimiter() {
    const next = this.take();
    if (next === ".") return "";
    if (next[0] !== "\\") return { "<": "⟨", ">": "⟩" }[next] ?? next;
    const name = next.slice(1);
    return OPERATORS[name] ?? name;
  }

  fenced() {
    const fence = (text) => (text ? [operator(text, { fence: "true", stretchy: "true" })] : []);
    const open = this.delimiter();
    const inner = this.rows(["\\right"]);
    if (this.take() !== "\\right") throw new Unreadable();
    return node("mrow", [...fence(open), inner, ...fence(this.delimiter())]);
  }

  environment() {
    const name = this.raw().replace("*", "");
    if (name === "array" || name === "tabular" || name === "alignedat") this.raw();
    const [open, close] = { pmatrix: "()", bmatrix: "[]", Bmatrix: "{}", vmatrix: "||", Vmatrix: "‖‖", cases: "{ " }[name] ?? "  ";
    const inner = this.rows(["\\end"], { class: /matrix|array/.test(name) ? "matrix" : name === "cases" ? "cases" : "aligned" });
    if (this.take() !== "\\end" || this.raw().replace("*", "") !== name) throw new Unreadable();
    const fence = (text) => (text === " " ? [] : [operator(text, { fence: "true", stretchy: "true" })]);
    return open === " " && close === " " ? inner : node("mrow", [...fence(open), inner, ...fence(close)]);
  }

  negated() {
    const [tag, attributes, text] = this.argument();
    if (typeof text !== "string") throw new Unreadable();
    return [tag, attributes, text === "=" ? "≠" : text === "∈" ? "∉" : `${text}\u0338`];
  }
}

const space = () => node("mspace", [], { width: "0.25em" });
// Whether it is the name of a function, perhaps with scripts.
const isFunction = ([tag, , content]) => (typeof content === "string" ? tag === "mi" && NAMES.has(content)
  : ["msub", "msup", "msubsup", "munder"].includes(tag) && isFunction(content[0]));
const isEmpty = ([tag, , children]) => tag === "mrow" && children.length === 0;

function fraction(name, above, below) {
  if (name.endsWith("binom")) {
    const stack = node("mfrac", [above, below], { linethickness: "0" });
    return node("mrow", [operator("(", { stretchy: "true" }), stack, operator(")", { stretchy: "true" })]);
  }
  return node("mfrac", [above, below], name === "dfrac" ? { displaystyle: "true" } : {});
}

function isLimits([tag, attributes, content]) {
  if (tag === "mo" && attributes.largeop) return !"∫∬∭∮".includes(content);
  if (tag === "mi") return LIMITS.has(content);
  return (tag === "mover" || tag === "munder") && attributes.accent === "true" && content[1][1].stretchy === "true" && "⏞⏟".includes(content[1][2]);
}

// Letters of another alphabet, such as double-struck ones, which Unicode has as characters of their own.
function alphabet([tag, attributes, content], [upper, lower, digits, others]) {
  if (typeof content !== "string") return [tag, attributes, content.map((child) => alphabet(child, [upper, lower, digits, others]))];
  const mapped = (char) => {
    const at = char.codePointAt(0);
    if (others[char]) return others[char];
    if (upper && char >= "A" && char <= "Z") return String.fromCodePoint(upper + at - 65);
    if (lower && char >= "a" && char <= "z") return String.fromCodePoint(lower + at - 97);
    if (digits && char >= "0" && char <= "9") return String.fromCodePoint(digits + at - 48);
    return char;
  };
  return [tag, attributes, [...content].map(mapped).join("")];
}

// Letters that stand upright: a name or a unit is one token, in other formulas each letter is.
function upright(tree) {
  const [tag, attributes, content] = tree;
  if (typeof content === "string") return tag === "mi" ? token("mi", content, { mathvariant: "normal" }) : tree;
  const isName = tag === "mrow" && content.length > 0 && content.every(([, , text]) => typeof text === "string");
  if (!isName) return [tag, attributes, content.map(upright)];
  const text = content.map(([, , part]) => part).join("");
  return /^\p{L}+$/u.test(text) ? token("mi", text, { mathvariant: "normal" }) : token("mtext", text);
}

// A chemical formula: numbers behind elements are lowered, arrows are drawn.
function chemistry(text) {
  const parts = text.match(/<=>|->|<-|\^\{?[\d+-]+\}?|[A-Z][a-z]?|\d+|\s+|./gu) ?? [];
  const made = [];
  for (const part of parts) {
    const before = made.at(-1);
    const isBehind = before && (before[0] === "mi" || before[2] === ")" || before[2] === "]");
    if (/^\s/.test(part)) made.push(space());
    else if (/^\d/.test(part)) made.push(isBehind ? node("msub", [made.pop(), token("mn", part)]) : token("mn", part));
    else if (part[0] === "^" && part.length > 1 && before) made.push(node("msup", [made.pop(), token("mtext", part.replace(/[\^{}]/g, ""))]));
    else if (/^\p{L}/u.test(part)) made.push(token("mi", part, { mathvariant: "normal" }));
    else made.push(operator({ "->": "→", "<-": "←", "<=>": "⇌" }[part] ?? part, { stretchy: "false" }));
  }
  return row(made);
}
