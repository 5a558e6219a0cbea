// A visit to the chat page: node visit.mjs FOLDER ADDRESS. What it waits for and does not come is the test's time limit.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { open } from "./document.mjs";

const [folder, address] = process.argv.slice(2);
open(readFileSync(`${folder}/index.html`, "utf8"), address);
await import(pathToFileURL(`${folder}/app.js`));

const byId = (id) => document.getElementById(id);
const found = (id, tag, text) => byId(id).all((node) => node.tag === tag && node.textContent === text)[0];

async function until(look) {
  for (;;) {
    const seen = look();
    if (seen) return seen;
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

await until(() => byId("user").textContent === "Ann" && byId("title").textContent === "demo_bot");
byId("text").value = "hi <b>";
byId("composer").fire("submit");
await until(() => found("messages", "div", "hi <b>"));

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

byId("file").fire("change", { target: { files: [new File(["notes"], "notes.txt", { type: "text/plain" })] } });
await until(() => byId("messages").textContent.includes("notes.txt"));
process.exit(0);
