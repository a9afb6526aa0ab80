// `agent-run local-cloud` (hidden): the demo's cloud as a process of its own, so that it ends with the demo.
import { serveLocalCloud } from "../localcloud/serve.ts";
import type { Command } from "./command.ts";

export const localCloud: Command = {
  name: "local-cloud",
  usage: "local-cloud",
  summary: "the cloud that the demo runs on",
  options: [],
  async run(_values, _words, context) {
    await serveLocalCloud(context.streams.stdin, context.streams.stdout);
    return 0;
  },
};
