// Attempts on the record of what happened. After all of them `agent-run audit --verify` must find every session as it was written.
import type { Attempt } from "../attempt.ts";

export const audit: readonly Attempt[] = [
  {
    id: "audit-cut",
    group: "audit",
    what: "cut every record of the audit short",
    program: 'for f in "$RT_STATE"/audit/*; do : > "$f"; done 2>&1; echo end',
    later: 'for f in "$RT_STATE"/audit/sess_*; do grep -q \'"kind":"start"\' "$f" || echo "REACHED $f"; done',
    standard: "mounts",
    none: "reached",
  },
  {
    id: "audit-forged",
    group: "audit",
    what: "append a forged record to its own session's",
    program: `for f in "$RT_STATE"/audit/*; do echo '{"kind":"forged"}' >> "$f"; done 2>&1; echo end`,
    later: 'grep -rqs forged "$RT_STATE/audit" && echo REACHED; true',
    standard: "mounts",
    none: "reached",
  },
  {
    id: "audit-removed",
    group: "audit",
    what: "move the folder of the audit away",
    program: 'mv "$RT_STATE/audit" "$RT_STATE/gone" && touch "$RT_STATE/gone/was-moved" && mv "$RT_STATE/gone" "$RT_STATE/audit"; echo end',
    later: 'test -e "$RT_STATE/audit/was-moved" && echo REACHED; rm -f "$RT_STATE/audit/was-moved"',
    standard: "mounts",
    none: "reached",
  },
  {
    id: "record-injected",
    group: "audit",
    what: "inject a record or a line of the log through headers and paths of the endpoint",
    with: "node",
    program: `
import { connect } from "node:net";
const url = new URL(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI);
const line = '{"kind":"planted-record"}';
for (const [path, agent] of [[url.pathname, "x\\\\n" + line], ["/%0a" + line, "x"], [url.pathname, '","kind":"planted-record'], [url.pathname, "x\\u2028" + line + "\\u0085"]])
  await new Promise((resolve) => {
    const socket = connect(Number(url.port), "127.0.0.1", () => socket.write(\`GET \${path} HTTP/1.1\\r\\nHost: \${url.host}\\r\\nUser-Agent: \${agent}\\r\\nConnection: close\\r\\n\\r\\n\`));
    socket.on("data", (part) => console.log(String(part).split("\\r\\n")[0].replace("HTTP/1.1 4", "CONTROL: recorded 4"))).on("close", resolve).on("error", resolve);
  });
process.exit();`,
    later: `grep -rhs '"kind":"planted-record"' "$RT_STATE"/audit "$RT_STATE"/*log* | grep -v '\\\\"kind' | sed 's/^/REACHED /'; agent-run audit --json >/dev/null || echo REACHED`,
    standard: "endpoint",
    none: "endpoint",
  },
  {
    id: "log-cut",
    group: "audit",
    what: "write to the daemon's log",
    program: 'for f in "$RT_STATE"/*.log; do echo forged-line >> "$f"; done 2>&1; echo end',
    later: 'grep -qs forged-line "$RT_STATE"/*.log && echo REACHED; true',
    standard: "mounts",
    none: "reached",
  },
];
