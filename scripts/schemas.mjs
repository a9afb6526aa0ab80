// Writes the JSON schemas of the settings into profiles/, for editors. Run after a change of src/session/settings.ts: npm run schemas.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { settingsSchemas } from "../src/session/settings-schema.ts";

const folder = fileURLToPath(new URL("../profiles/", import.meta.url));
for (const [name, schema] of Object.entries(settingsSchemas())) writeFileSync(`${folder}${name}`, `${JSON.stringify(schema, null, 2)}\n`);
