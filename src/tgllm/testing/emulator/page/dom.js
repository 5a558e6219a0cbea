// Creation of elements; texts are inserted as text nodes, never as markup.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// Make a node the round picture of a user or a chat: the first letter of its name on a colour.
export function avatar(node, name, id) {
  const color = Math.abs(id) % 7;
  node.className = `avatar color${color}${node.className.includes("small") ? " small" : ""}`;
  node.textContent = ([...(name || "?").trim()][0] ?? "?").toUpperCase();
  return node;
}

const SAFE = new Set(["http:", "https:", "mailto:", "tel:"]);

// Return a link, or only its text if the URL has another scheme.
export function link(address, ...children) {
  let url;
  try { url = new URL(address); } catch { return el("span", {}, ...children); }
  if (!SAFE.has(url.protocol)) return el("span", { title: "Links of this kind can't be opened here" }, ...children);
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer", title: url.href }, ...children);
}

export function spoiler(...children) {
  const node = el("span", { class: "spoiler", role: "button", tabindex: "0", "aria-label": "Hidden text, press to show" }, ...children);
  const show = () => { node.classList.add("seen"); for (const name of ["role", "aria-label", "tabindex"]) node.removeAttribute(name); };
  node.addEventListener("click", show);
  node.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); show(); } });
  return node;
}

// Copy a text; return whether the browser allowed it.
export async function copyText(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { return false; }
}

export function codeBlock(text, language) {
  const copy = el("button", { type: "button", "aria-label": "Copy the code", onclick: async () => {
    copy.textContent = (await copyText(text)) ? "Copied" : "Can't copy";
    setTimeout(() => { copy.textContent = "Copy"; }, 2000);
  } }, "Copy");
  return el("figure", { class: "code" },
    el("figcaption", {}, el("span", {}, language || "code"), copy),
    el("pre", { tabindex: "0", role: "group", "aria-label": language ? `Code, ${language}` : "Code" }, el("code", {}, text)));
}

export function quote(folds, ...children) {
  if (!folds) return el("blockquote", {}, ...children);
  const more = el("button", { type: "button", "aria-expanded": "false", onclick: () => {
    const shut = box.classList.toggle("shut");
    more.textContent = shut ? "Show more" : "Show less";
    more.setAttribute("aria-expanded", String(!shut));
  } }, "Show more");
  const box = el("blockquote", { class: "folds shut" }, el("div", { class: "fold" }, ...children), more);
  return box;
}
