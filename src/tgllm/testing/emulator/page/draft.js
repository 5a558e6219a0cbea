// Drafts: answers that are still being written.

import { el } from "./dom.js";
import { formatted } from "./entities.js";
import { richBlocks } from "./rich.js";

// Update a draft in its element, so that only new text fades in and the Stop button keeps the focus.
export function updateDraft(row, draft, name, actions) {
  const thinking = !draft.text && !draft.rich;
  row.className = thinking ? "row first last draft thinking" : "row first last draft";
  const before = row.dataset.text ?? "";
  row.dataset.text = draft.text;
  const grown = !draft.rich && !draft.entities.length && before && draft.text.startsWith(before);
  const parts = draft.rich ? richBlocks(draft.rich.blocks, actions)
    : grown ? [before, el("span", { class: "fresh" }, draft.text.slice(before.length))]
    : formatted(draft.text, draft.entities, actions);
  const stop = draft.can_stop
    ? row.querySelector(".stop") ?? el("button", { type: "button", class: "stop", onclick: () => actions.stop(draft) }, "■ Stop")
    : null;
  const content = el("div", { class: draft.rich ? "body rich" : "body" }, ...(thinking ? ["Thinking…"] : parts));
  const bubble = el("article", { class: "bubble", "aria-busy": "true", "aria-label": `${name} is writing` }, content);
  const focused = document.activeElement === stop;
  row.replaceChildren(el("div", { class: "post" }, bubble), ...(stop ? [stop] : []));
  if (focused) stop.focus();
}
