// Calls functions of the page's modules: node call.mjs FOLDER, with [[module, function, arguments], ...] as JSON on stdin.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [folder] = process.argv.slice(2);
const calls = JSON.parse(readFileSync(0, "utf8"), (_, value) => (value?.$date ? new Date(value.$date) : value));
const results = [];
for (const [module, name, given] of calls) results.push((await import(pathToFileURL(`${folder}/${module}.js`)))[name](...given));
console.log(JSON.stringify(results));
