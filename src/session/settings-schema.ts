// The JSON schemas of the settings, for editors: made from the schemas that check them, so that neither can say what the other does not.
// Called by scripts/schemas.mjs, which writes them into profiles/.
import * as z from "zod/mini";
import { configSettings, profileSettings, repositorySettings } from "./settings.ts";

/** By file name: profile.toml, config.toml and a repository's .agent-run.toml. JSON Schema, draft 2020-12. */
export function settingsSchemas(): Record<string, unknown> {
  return {
    "profile.schema.json": schemaOf(profileSettings, "profile.toml of agent-run"),
    "config.schema.json": schemaOf(configSettings, "config.toml of agent-run"),
    "repository.schema.json": schemaOf(repositorySettings, ".agent-run.toml of a repository"),
  };
}

function schemaOf(schema: z.ZodMiniType, title: string): unknown {
  return { title, ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) };
}
