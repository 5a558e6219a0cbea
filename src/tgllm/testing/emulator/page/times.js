// Times of messages in words, as chat apps show them. Dates are in the browser's time zone.

const two = (number) => String(number).padStart(2, "0");
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
const daysBetween = (date, now) => Math.round((midnight(now) - midnight(date)) / 86_400_000);

export const clock = (date) => `${two(date.getHours())}:${two(date.getMinutes())}`;

export const dayKey = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

export function dayName(date, now) {
  const days = daysBetween(date, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const year = date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  return date.toLocaleDateString("en-US", { month: "long", day: "numeric", ...year });
}

// The time in the list of chats: today a time, this week a weekday, before that a date.
export function listTime(date, now) {
  const days = daysBetween(date, now);
  if (days <= 0) return clock(date);
  if (days < 7) return date.toLocaleDateString("en-US", { weekday: "short" });
  return `${two(date.getDate())}.${two(date.getMonth() + 1)}.${two(date.getFullYear() % 100)}`;
}
