// `npm run docs`: writes docs/commands.md anew, and the list of man pages in package.json. test/manual.test.ts fails when this was forgotten.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { commandsPage, manPages, visibleCommands } from "./manual.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const pages = await visibleCommands();
writeFileSync(`${root}docs/commands.md`, commandsPage(pages));

const file = `${root}package.json`;
const man = [...manPages(pages, { version: "", date: "" }).keys()].map((name) => `dist/man/${name}`);
writeFileSync(file, `${JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), man }, null, 2)}\n`);
