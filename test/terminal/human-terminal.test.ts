// The modes of the human's terminal, in a real PTY: of several changes that are asked for at once the last one holds.
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import { expect, it } from "vitest";

it("a terminal that is given back while it is still being taken is given back", async () => {
  const program = `
    import { execFileSync } from "node:child_process";
    import { openHumanTerminal } from ${JSON.stringify(join(import.meta.dirname, "../../src/terminal/human-terminal.ts"))};
    const modes = () => execFileSync("stty", ["-g"], { stdio: ["inherit", "pipe", "ignore"], encoding: "utf8" }).trim();
    const terminal = await openHumanTerminal(process.stdin, process.stdout);
    let other = 0;
    for (let round = 0; round < 40; round += 1) {
      const taking = terminal.raw();
      await terminal.cooked();
      await taking;
      if (modes() !== terminal.modes) other += 1;
    }
    terminal.close();
    console.log("rounds with other modes: " + other);
    process.exit();`;
  const pty = spawn(process.execPath, ["--input-type=module", "-e", program], { cols: 80, rows: 24, env: { PATH: "/usr/bin:/bin" } });
  let text = "";
  pty.onData((part) => {
    text += part;
  });
  await new Promise((resolve) => pty.onExit(resolve));
  expect(text).toContain("rounds with other modes: 0");
});
