// As much of a browser's document as the chat page needs, so that Node can run the page.

class Text {
  constructor(text) { this.textContent = String(text); }
}

class Element {
  constructor(tag) {
    Object.assign(this, { tag, tagName: tag.toUpperCase(), nodes: [], parent: null, attributes: {}, dataset: {}, style: {}, listeners: {} });
    Object.assign(this, { className: "", value: "", hidden: false, checked: false, scrollTop: 0, scrollHeight: 0, clientHeight: 0 });
    Object.assign(this, { offsetWidth: 0, offsetHeight: 0, isOpen: false });
    const names = () => new Set(this.className.split(" ").filter(Boolean));
    const write = (found) => { this.className = [...found].join(" "); };
    this.classList = {
      add: (name) => write(names().add(name)),
      remove: (name) => { const found = names(); found.delete(name); write(found); },
      toggle: (name) => { const found = names(); const on = !found.delete(name); write(on ? found.add(name) : found); return on; },
    };
  }

  get children() { return this.nodes.filter((node) => node instanceof Element); }
  get lastChild() { return this.nodes.at(-1) ?? null; }
  get textContent() { return this.nodes.map((node) => node.textContent).join(""); }
  set textContent(text) { this.replaceChildren(String(text)); }

  append(...added) {
    for (const node of added.map((one) => (typeof one === "object" ? one : new Text(one)))) {
      node.parent?.nodes.splice(node.parent.nodes.indexOf(node), 1);
      node.parent = this;
      this.nodes.push(node);
    }
  }

  replaceChildren(...added) { for (const node of this.nodes) node.parent = null; this.nodes = []; this.append(...added); }
  remove() { this.parent?.nodes.splice(this.parent.nodes.indexOf(this), 1); this.parent = null; }

  replaceWith(other) {
    this.parent.nodes[this.parent.nodes.indexOf(this)] = other;
    other.parent = this.parent;
    this.parent = null;
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
    if (name.startsWith("data-")) this.dataset[name.slice(5)] = String(value);
  }

  removeAttribute(name) { delete this.attributes[name]; }
  addEventListener(name, run) { (this.listeners[name] ??= []).push(run); }
  querySelector(selector) { return this.all((node) => node.className.split(" ").includes(selector.slice(1)))[0] ?? null; }
  querySelectorAll(tags) { return this.all((node) => tags.split(", ").includes(node.tag)); }
  contains(node) { return node === this || this.all((one) => one === node).length > 0; }
  getBoundingClientRect() { return { left: 0, top: 0, right: 0, bottom: 0 }; }
  showModal() { this.isOpen = true; }
  close() { this.isOpen = false; }
  focus() { document.activeElement = this; }
  click() { this.fire("click"); }

  fire(name, more = {}) {
    for (const run of this.listeners[name] ?? []) run({ target: this, preventDefault() {}, stopPropagation() {}, ...more });
  }

  all(fits) { return this.children.flatMap((node) => [...(fits(node) ? [node] : []), ...node.all(fits)]); }
}

const named = new Map();

globalThis.document = {
  activeElement: null,
  documentElement: new Element("html"),
  visibilityState: "visible",
  addEventListener() {},
  createElementNS: (_namespace, tag) => new Element(tag),
  createElement: (tag) => new Element(tag),
  getElementById: (id) => {
    if (!named.has(id)) throw new Error(`the page has no element ${id}`);
    return named.get(id);
  },
};

export function open(html, address) {
  for (const [, tag, id] of html.matchAll(/<([a-z0-9]+)[^>]* id="([a-z-]+)"/g)) named.set(id, new Element(tag));
  const { origin, hash } = new URL(address);
  const fetchThere = globalThis.fetch;
  globalThis.location = { hash };
  Object.assign(globalThis, { innerWidth: 1280, innerHeight: 800, addEventListener() {}, history: { state: null, pushState() {} } });
  globalThis.fetch = (path, options) => fetchThere(new URL(path, origin), options);
  globalThis.ResizeObserver = class { observe() {} };
}
