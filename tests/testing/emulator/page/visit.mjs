// A visit to the chat page: node visit.mjs FOLDER ADDRESS. What it waits for and does not come is the test's time limit.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { open } from "./document.mjs";

const [folder, address] = process.argv.slice(2);
open(readFileSync(`${folder}/index.html`, "utf8"), address);
await import(pathToFileURL(`${folder}/app.js`));

const byId = (id) => document.getElementById(id);
const found = (id, tag, text) => byId(id).all((node) => node.tag === tag && node.textContent === text)[0];
const message = (text) => byId("messages").all((node) => node.className === "body" && node.textContent.startsWith(text))[0];

async function until(look) {
  for (;;) {
    const seen = look();
    if (seen) return seen;
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

await until(() => byId("user").textContent.startsWith("Ann") && byId("title").textContent === "demo_bot");
await until(() => !byId("start").hidden && byId("composer").hidden && byId("empty").textContent.includes("What can this bot do?"));
byId("start").click();
await until(() => message("/start") && byId("start").hidden && !byId("composer").hidden);
await until(() => byId("text").style.height !== "0px");
byId("text").value = "hi <b>";
byId("composer").fire("submit");
await until(() => message("hi <b>"));

await until(() => found("messages", "b", "bold") && found("messages", "code", "x = 1"));
(await until(() => found("messages", "button", "Go"))).click();
await until(() => !byId("toast").hidden && byId("toast").textContent === "pressed");

const stop = await until(() => byId("drafts").textContent.includes("so far") && byId("drafts").querySelector(".stop"));
stop.focus();
stop.click();
await until(() => byId("drafts").children.length === 0);
await until(() => document.activeElement === byId("text"));

byId("text").value = "/";
const [first, second] = await until(() => {
  byId("text").fire("input");
  return byId("suggestions").children.length === 2 && byId("suggestions").children;
});
const moves = [["text", "ArrowDown", first], ["suggestions", "ArrowDown", second], ["suggestions", "ArrowUp", first],
  ["suggestions", "ArrowUp", byId("text")], ["text", "ArrowDown", first], ["suggestions", "Escape", byId("text")]];
for (const [place, key, there] of moves) {
  byId(place).fire("keydown", { key });
  await until(() => document.activeElement === there);
}
byId("text").value = "";
byId("text").fire("input");

// A menu of a message: with the keyboard.
const more = byId("messages").all((node) => node.className === "more").at(-1);
more.click();
const items = byId("layer").querySelectorAll("button");
await until(() => document.activeElement === items[0]);
byId("layer").children[0].fire("keydown", { key: "ArrowUp" });
await until(() => document.activeElement === items.at(-1));
byId("layer").children[0].fire("keydown", { key: "Escape" });
await until(() => byId("layer").children.length === 0 && document.activeElement === more);

// A group of one's own, in which the other chats are a press away.
byId("new-group").click();
byId("dialog-fields").all((node) => node.tag === "input")[0].value = "Team";
byId("dialog-fields").all((node) => node.attributes.type === "checkbox")[0].checked = true;
byId("dialog-form").fire("submit");
await until(() => byId("title").textContent === "Team" && !byId("dialog").isOpen);
await until(() => byId("messages").textContent.includes("Ann added Eve"));
const chats = () => byId("chats").all((node) => node.className === "chat");
const unread = () => byId("chats").all((node) => node.className === "badge" && !node.hidden).map((node) => node.textContent);
byId("text").value = "anybody here?";
byId("composer").fire("submit");
await until(() => unread().join() === "1" && document.title.startsWith("(1)"));
chats().find((chat) => chat.textContent.includes("demo_bot")).click();
await until(() => byId("title").textContent === "demo_bot" && message("in private"));
await until(() => unread().length === 0 && !document.title.startsWith("("));

// A reader who has scrolled up stays there; the button leads to the new message.
const log = byId("log");
Object.assign(log, { scrollHeight: 1000, clientHeight: 300, scrollTop: 1000 });
log.fire("scroll");
log.scrollTop = 100;
log.fire("scroll");
const { say } = await import(pathToFileURL(`${folder}/composer.js`));
await say("I read further up");
await until(() => message("while you read"));
await until(() => log.scrollTop === 100 && !byId("down").hidden && byId("down-unread").textContent === "1");
byId("down").click();
await until(() => log.scrollTop === 1000 && byId("down").hidden && unread().length === 0);

// A chat opens at its newest message.
log.fire("scroll");
log.scrollTop = 100;
log.fire("scroll");
chats().find((chat) => chat.textContent.includes("Team")).click();
await until(() => byId("title").textContent === "Team" && log.scrollTop === 1000);
chats().find((chat) => chat.textContent.includes("demo_bot")).click();
await until(() => byId("title").textContent === "demo_bot" && message("while you read"));

const chosen = (...names) => names.map((name) => new File([`in ${name}`], name, { type: name.endsWith(".png") ? "image/png" : "text/plain" }));
byId("file").fire("change", { target: { files: chosen("notes.txt") } });
await until(() => byId("messages").textContent.includes("notes.txt"));
byId("text").value = "both";
byId("pane").fire("drop", { dataTransfer: { files: chosen("a.txt", "b.txt") } });
await until(() => byId("messages").textContent.includes("b.txt") && byId("text").value === "");
byId("text").fire("paste", { clipboardData: { files: chosen("c.png", "d.png", "e.txt") } });
await until(() => byId("messages").textContent.includes("e.txt"));
process.exit(0);
