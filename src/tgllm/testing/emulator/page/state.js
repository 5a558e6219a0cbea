// What the page shows: the user, the open chat, and the last views of the server.

export const state = { me: null, chat: null, bot: null, topic: null, world: null, view: null, context: null };

// Fields of an action: who acts, and in which chat.
export const where = () => ({ user: state.me, chat: state.chat, bot: state.bot });

export const byId = (id) => document.getElementById(id);

let toastTimer = 0;
export function toast(words) {
  const node = byId("toast");
  node.textContent = words;
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { node.hidden = true; }, 3500);
}

export async function attempt(work) {
  // Errors of the server have a status, unlike network errors.
  try { return await work(); } catch (error) { toast(error.status ? error.message : "The server can't be reached"); return undefined; }
}
