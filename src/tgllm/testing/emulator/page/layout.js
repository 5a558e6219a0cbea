// Rows of a chat: messages, with a line before the first one of each day.

import { dayKey, dayName } from "./times.js";

const TOGETHER_SECONDS = 600;

// Messages of one sender that follow each other closely are a group: the first has the name, the last has the corner.
const belongTogether = (a, b) => Boolean(a && b) && !a.service && !b.service && a.from.id === b.from.id
  && b.date - a.date < TOGETHER_SECONDS && dayKey(new Date(a.date * 1000)) === dayKey(new Date(b.date * 1000));

export function rowsOf(messages, now) {
  const rows = [];
  let day = null;
  messages.forEach((message, index) => {
    const date = new Date(message.date * 1000);
    if (dayKey(date) !== day) {
      day = dayKey(date);
      rows.push({ key: `day ${day}`, day: dayName(date, now) });
    }
    const isFirst = !belongTogether(messages[index - 1], message);
    const isLast = !belongTogether(message, messages[index + 1]);
    rows.push({ key: `message ${message.id}`, message, isFirst, isLast });
  });
  return rows;
}

const MOST_WIDTH = 420, MOST_HEIGHT = 340, LEAST = 80;

// The size at which a picture is shown, which is known before it is loaded.
export function pictureSize(width, height) {
  if (!width || !height) return [240, 180];
  const scale = Math.min(1, MOST_WIDTH / width, MOST_HEIGHT / height);
  return [Math.max(LEAST, Math.round(width * scale)), Math.max(LEAST / 2, Math.round(height * scale))];
}

// The number in a badge.
export const countWords = (count) => (count > 999 ? "999+" : String(count));

// Text for a screen reader about a new message.
export function announcement(message) {
  const words = message.text || message.file?.name || (message.file ? "a file" : "");
  const cut = words.length > 400 ? `${words.slice(0, 400)}…` : words;
  const end = /[.!?…:]$/.test(cut) ? " " : ". ";
  return message.service ?? `${message.from.name}: ${cut}${message.buttons.length ? `${end}It has buttons.` : ""}`;
}
