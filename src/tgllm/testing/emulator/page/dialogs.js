// Dialogs: a new user, a new group, the members of a group.

import { el } from "./dom.js";
import { byId } from "./state.js";

let submitted = async () => {};

// Show a dialog; work runs when it is confirmed, and its error keeps the dialog open.
function show(title, ok, fields, work) {
  byId("dialog-title").textContent = title;
  byId("dialog-ok").textContent = ok;
  byId("dialog-wrong").textContent = "";
  byId("dialog-fields").replaceChildren(...fields);
  submitted = work;
  byId("dialog").showModal();
}

const LANGUAGES = [["en", "English"], ["ru", "Русский"], ["de", "Deutsch"]];

const field = (words, input) => el("label", { class: "field" }, el("span", {}, words), input);

function checks(legend, accounts, empty) {
  const boxes = accounts.map((account) => [account, el("input", { type: "checkbox", value: String(account.id) })]);
  const shown = boxes.map(([account, box]) => el("label", { class: "check" }, box, account.name));
  const node = el("fieldset", {}, el("legend", {}, legend), ...(shown.length ? shown : [el("p", { class: "soft" }, empty)]));
  return [node, () => boxes.filter(([, box]) => box.checked).map(([account]) => account)];
}

export function askForUser(create) {
  const name = el("input", { type: "text", id: "dialog-name", maxlength: "64", required: true, autocomplete: "off" });
  const language = el("select", {}, ...LANGUAGES.map(([code, words]) => el("option", { value: code }, words)));
  show("New user", "Create", [field("First name", name), field("Language of the app", language)], () => create(name.value.trim(), language.value));
}

// The bot becomes a member as well.
export function askForGroup(others, bot, create) {
  const title = el("input", { type: "text", id: "dialog-name", maxlength: "128", required: true, autocomplete: "off" });
  const [members, chosen] = checks("Members besides you", others, "There is no other user yet.");
  const note = el("p", { class: "soft" }, `${bot} becomes a member too.`);
  show("New group", "Create", [field("Name of the group", title), members, note], () => create(title.value.trim(), chosen()));
}

export function askForMembers(inside, outside, { add, remove }) {
  const [adding, added] = checks("Add to the group", outside, "All users are members already.");
  const [removing, removed] = checks("Remove from the group", inside, "There are no other members.");
  show("Members", "Save", [adding, removing], async () => {
    for (const account of added()) await add(account);
    for (const account of removed()) await remove(account);
  });
}

export function wireDialogs() {
  byId("dialog-cancel").addEventListener("click", () => byId("dialog").close());
  byId("dialog-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await submitted();
      byId("dialog").close();
    } catch (error) {
      byId("dialog-wrong").textContent = error.status ? error.message : "The server can't be reached";
    }
  });
}
