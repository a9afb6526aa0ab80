// The private AWS config of a session and the small shell script that clients run for credentials. Pure but for `findTools`. Called by session's delivery.
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { AgentRunError } from "../core/error.ts";
import type { Secret } from "../core/secret.ts";

/** Programs that the script can ask the endpoint with, absolute paths. Clients run it for each call when credentials are short-lived, so speed counts. */
export interface Tools {
  /** About 12 ms a run, the shell included. */
  readonly curl: string | undefined;
  /** About 26 ms. */
  readonly python: string | undefined;
  /** About 43 ms. */
  readonly node: string;
}

/** Before PATH, so that a wrapper such as a version manager's shim, slow and in need of a home, is not what is found. */
const USUAL_FOLDERS = ["/usr/bin", "/bin", "/usr/local/bin", "/opt/homebrew/bin"];

/**
 * What can run the helper here; the Node that runs us is the last resort.
 * @param path the human's PATH
 */
export function findTools(path: string | undefined): Tools {
  const folders = [...USUAL_FOLDERS, ...(path ?? "").split(delimiter).filter(isAbsolute)];
  const find = (name: string): string | undefined => folders.map((folder) => join(folder, name)).find(isProgram);
  return { curl: find("curl"), python: find("python3"), node: process.execPath };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

export interface HelperRequest {
  /** The session's folder, as the agent sees it. */
  readonly folder: string;
  /** The endpoint's `processUrl`. */
  readonly url: string;
  readonly token: Secret;
  readonly tools: Tools;
}

export const HELPER = "credential-process";
const HEADER = "authorization";

/** The files to put into the session's folder: the script, and beside it the header with the token, which is in no argument and no environment. */
export function credentialProcessFiles(request: HelperRequest): Record<string, { readonly content: string; readonly mode: number }> {
  return {
    [HELPER]: { content: credentialProcessScript(request), mode: 0o700 },
    [HEADER]: { content: `Authorization: ${request.token.reveal()}`, mode: 0o600 },
  };
}

/** Shows the reply's body and, in a last line, its status; for where there is no curl. No quote may be in it. */
const PYTHON = `import socket,sys
port,path,file=sys.argv[1:4]
with open(file) as f: header=f.read()
s=socket.create_connection(("127.0.0.1",int(port)),5)
s.sendall(("GET "+path+" HTTP/1.0\\r\\nHost: 127.0.0.1:"+port+"\\r\\n"+header+"\\r\\n\\r\\n").encode())
d=b""
while True:
    c=s.recv(65536)
    if not c: break
    d+=c
h,_,b=d.decode().partition("\\r\\n\\r\\n")
print(b);print(h.split()[1],end="")`;

const NODE = `const [port,path,file]=process.argv.slice(1);let d="";
const s=require("node:net").connect(Number(port),"127.0.0.1",()=>s.write("GET "+path+" HTTP/1.0\\r\\nHost: 127.0.0.1:"+port+"\\r\\n"+require("node:fs").readFileSync(file,"utf8")+"\\r\\n\\r\\n"));
s.setTimeout(5000,()=>s.destroy());s.on("error",()=>{process.exitCode=1});s.setEncoding("utf8");s.on("data",(c)=>{d+=c});
s.on("end",()=>{const i=d.indexOf("\\r\\n\\r\\n");process.stdout.write(d.slice(i+4)+"\\n"+d.split(" ")[1])});`;

/**
 * A POSIX shell script that prints credential_process output, or says on stderr why there is none and exits 1, which clients show.
 * The first tool that is there when it runs is used: what was found at launch may be hidden from the agent.
 */
export function credentialProcessScript({ folder, url, tools }: Omit<HelperRequest, "token">): string {
  const { port, pathname } = new URL(url);
  const header = join(folder, HEADER);
  const rest = [port, pathname, header].map(quoted).join(" ");
  const ways = [
    tools.curl && {
      tool: tools.curl,
      run: `-q -s --noproxy '*' --max-time 5 -w '\\n%{http_code}' -H ${quoted(`@${header}`)} ${quoted(url)}`,
    },
    tools.python && { tool: tools.python, run: `-I -S -c '${PYTHON}' ${rest}` },
    { tool: tools.node, run: `--no-warnings -e '${NODE}' ${rest}` },
  ].filter((way) => way !== undefined && way !== "");
  const branches = ways.map(({ tool, run }, index) => {
    return `${index === 0 ? "if" : "elif"} [ -x ${quoted(tool)} ]; then\n  reply=$(${quoted(tool)} ${run} 2>/dev/null)`;
  });
  return `#!/bin/sh
# Asks the endpoint of an agent-run session for its credentials, for the credential_process setting of AWS clients.
unset LD_PRELOAD NODE_OPTIONS
${branches.join("\n")}
else
  echo 'agent-run: neither curl nor python3 nor node can be run here, so credentials cannot be fetched' >&2
  exit 1
fi
code=\${reply##*
}
body=\${reply%
*}
if [ "$code" = 200 ]; then
  printf '%s\\n' "$body"
  exit 0
fi
case $code in
  [45]??) printf '%s\\n' "$body" >&2 ;;
  *) echo 'agent-run: the credential endpoint does not answer; the session has ended' >&2 ;;
esac
exit 1
`;
}

export interface AwsConfigRequest {
  readonly delivery: "endpoint" | "process" | "env";
  readonly region: string | undefined;
  /** Absolute path of the script; absent in `env` delivery. */
  readonly helper: string | undefined;
  /** Profile names that the project's tools ask for by name: each gives the session's credentials and nothing else. */
  readonly aliases?: readonly string[] | undefined;
}

/**
 * The content of the session's AWS_CONFIG_FILE. In `endpoint` and `env` delivery the default profile holds no credentials: clients would prefer them.
 * A client that is given --profile skips endpoint and environment, so an alias uses the script in every delivery that has one.
 * @throws AgentRunError `runtime-folder`, `profile` or `config` for a path, name or region that the file's format cannot hold
 */
export function awsConfigFile({ delivery, region, helper, aliases = [] }: AwsConfigRequest): string {
  if (region !== undefined && /[\s#;]/.test(region)) {
    throw new AgentRunError("config", `region: '${region}' is not an aws region`, { hint: "pass --region with a name such as eu-west-1" });
  }
  const common = region === undefined ? [] : [`region = ${region}`];
  const credentials = helper === undefined ? [] : [`credential_process = ${commandLine(helper)}`];
  const sections = [
    ["[default]", ...common, ...(delivery === "process" ? credentials : [])],
    ...aliases.map((name) => [`[profile ${profileName(name)}]`, ...common, ...credentials]),
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/**
 * Read by botocore's shell-like splitter, by `sh -c` (JavaScript, Go) and by INI readers that cut comments, so that only what is the same to all may be
 * in the path. `/bin/sh` runs the script also from a file system that is mounted noexec.
 */
function commandLine(helper: string): string {
  if (/["$`\\\n\r!]|\s[#;]/.test(helper)) {
    throw new AgentRunError("runtime-folder", `the runtime folder's name cannot be used in an aws config file: ${JSON.stringify(helper)}`, {
      hint: "set AGENT_RUN_HOME or XDG_RUNTIME_DIR to a folder without quotes, $, \\ and #",
    });
  }
  return `/bin/sh "${helper}"`;
}

function profileName(name: string): string {
  if (!/^[\w.@/+-]+( [\w.@/+-]+)*$/.test(name)) {
    throw new AgentRunError("profile", `'${name}' cannot be the name of an aws profile`, { hint: "use letters, digits and _ . - @ / +" });
  }
  return name.includes(" ") ? `"${name}"` : name;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
