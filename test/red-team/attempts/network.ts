// Attempts over the network: metadata services, services on loopback, the endpoint of the own and of another session, and AWS with the session's keys.
import type { Attempt } from "../attempt.ts";

const get = (id: string, what: string, url: string, more = ""): Attempt => ({
  id,
  group: "network",
  what,
  with: "node",
  program: `try { const r = await fetch(${JSON.stringify(url)}, { signal: AbortSignal.timeout(2000)${more} }); console.log(await r.text()); } catch (error) { console.log(error.cause?.code ?? error.name); }`,
  standard: "reached",
  strict: "network",
  none: "reached",
  gap: "The network is shared",
});

/** Sends raw bytes to the own endpoint and gives all that comes back. */
const ENDPOINT = `
import { connect } from "node:net";
import { readFileSync } from "node:fs";
const url = new URL(process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI);
const token = process.env.AWS_CONTAINER_AUTHORIZATION_TOKEN;
const raw = (bytes, port = url.port) => new Promise((resolve) => {
  const socket = connect(Number(port), "127.0.0.1");
  let text = "";
  const end = () => { socket.destroy(); resolve(text); };
  socket.on("data", (part) => (text += part)).on("close", end).on("error", end);
  socket.on("connect", () => socket.write(bytes));
  setTimeout(end, 800).unref();
});
const ask = (lines, body = "", port = url.port) => raw(lines.join("\\r\\n") + "\\r\\n\\r\\n" + body, port);
const right = [\`GET \${url.pathname} HTTP/1.1\`, \`Host: \${url.host}\`, \`Authorization: \${token}\`, "Connection: close"];
const without = (name) => right.filter((line) => !line.startsWith(name));
const given = (text) => /AccessKeyId/.test(text);
console.log(given(await ask(right)) ? "CONTROL: asked rightly, it answers" : "it does not answer at all");
const attempt = async (name, lines, body, port) => { const text = await ask(lines, body, port); console.log(given(text) ? "REACHED" : "refused", name, text.split("\\r\\n")[0]); };
`;

const endpoint = (id: string, what: string, program: string): Attempt => ({
  id,
  group: "network",
  what,
  with: "node",
  program: `${ENDPOINT}${program}\nprocess.exit();`,
  standard: "endpoint",
  none: "endpoint",
});

const AWS = `
import boto3, sys
session = boto3.Session()
def client(name):
    import os
    return session.client(name, endpoint_url=os.environ["AWS_ENDPOINT_URL"])
print("CONTROL:", client("sts").get_caller_identity()["Arn"])
`;

/** All of them must be denied, and for no other reason. */
const each = (...calls: readonly string[]): string => `
    import os
    ADMIN, ROLE = "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::123456789012:role/agent-demo"
    for call in (${calls.map((call) => `lambda: ${call}`).join(", ")},):
        try:
            call()
            print("REACHED")
        except Exception as error:
            print(error)
            # Transitive tags and a source identity stay what they are, whoever asks.
            if not any(why in str(error) for why in ("AccessDenied", "transitive tag", "source identity is already set")): print("REACHED otherwise:", error)
    sys.exit()`;

const aws = (id: string, what: string, call: string): Attempt => ({
  id,
  group: "network",
  what,
  with: "python",
  program: `${AWS}
try:
    ${call}
    print("REACHED")
except Exception as error:
    print(type(error).__name__, error)`,
  standard: "session",
  none: "session",
});

export const network: readonly Attempt[] = [
  get(
    "imds",
    "ask the instance metadata service for the machine's role",
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
  ),
  get(
    "imds-v2",
    "take a token of the instance metadata service",
    "http://169.254.169.254/latest/api/token",
    ', method: "PUT", headers: { "X-aws-ec2-metadata-token-ttl-seconds": "60" }',
  ),
  get("imds-ipv6", "ask the instance metadata service over IPv6", "http://[fd00:ec2::254]/latest/meta-data/"),
  get("ecs-metadata", "ask the container metadata service", "http://169.254.170.2/v2/credentials/"),
  get("pod-identity", "ask the pod identity agent", "http://169.254.170.23/v1/credentials"),
  {
    id: "loopback-service",
    group: "network",
    what: "talk to a service of the human's on loopback",
    with: "node",
    program:
      'try { console.log(await (await fetch("http://127.0.0.1:" + process.env.RT_LOOPBACK)).text()); } catch (error) { console.log(error.cause?.code); }',
    standard: "reached",
    strict: "network",
    none: "reached",
    gap: "The network is shared",
  },
  endpoint(
    "other-endpoint",
    "ask the other session's endpoint, on every port of loopback that listens, with its own token and with none",
    `
const ports = readFileSync("/proc/net/tcp", "utf8").split("\\n").map((line) => line.trim().split(/\\s+/)).filter((part) => part[3] === "0A").map((part) => parseInt(part[1].split(":")[1], 16)).filter((port) => String(port) !== url.port);
for (const port of ports) for (const session of [process.env.RT_OTHER_SESSION, process.env.AGENT_RUN_SESSION]) for (const form of ["creds", "process"]) for (const authorization of [[\`Authorization: \${token}\`], []])
  await attempt(\`\${port} \${session} \${form}\`, [\`GET /v1/s/\${session}/\${form} HTTP/1.1\`, \`Host: 127.0.0.1:\${port}\`, ...authorization, "Connection: close"], "", port);`,
  ),
  endpoint(
    "guessed-token",
    "guess a token: empty, cut, longer, in other case, with spaces, twice, of the wrong type",
    `
for (const guess of ["", " ", "null", "undefined", "Bearer", "Bearer " + token, token.slice(0, -1), token.slice(1), token + "=", token.toUpperCase() === token ? token.toLowerCase() : token.toUpperCase(), "0".repeat(token.length), token + ", " + token, "[object Object]", process.env.AGENT_RUN_SESSION])
  await attempt(JSON.stringify(guess.length), [...without("Authorization"), \`Authorization: \${guess}\`]);
await attempt("none", without("Authorization"));
await attempt("two", [...without("Authorization"), "Authorization: x", \`Authorization: \${token}\`]);
await attempt("in the query", [\`GET \${url.pathname}?Authorization=\${token} HTTP/1.1\`, ...without("GET").filter((line) => !line.startsWith("Authorization"))]);
await attempt("in a cookie", [...without("Authorization"), \`Cookie: Authorization=\${token}\`]);`,
  ),
  endpoint(
    "host-header",
    "ask the endpoint by another name, as a web page does that rebinds its own",
    `
for (const host of ["evil.example", "evil.example:" + url.port, "127.0.0.1", "127.0.0.1:1", "127.0.0.1.nip.io:" + url.port, "[::1]:" + url.port, "0:" + url.port, "2130706433:" + url.port, "127.1:" + url.port, "user@" + url.host, url.host + ".", url.host + "/", ""])
  await attempt(host, [right[0], \`Host: \${host}\`, ...without("GET").filter((line) => !line.startsWith("Host"))]);
await attempt("no host", without("Host"));
await attempt("two hosts", [...right.slice(0, 2), "Host: evil.example", ...right.slice(2)]);
await attempt("HTTP/1.0", [\`GET \${url.pathname} HTTP/1.0\`, \`Authorization: \${token}\`]);`,
  ),
  endpoint(
    "browser-headers",
    "ask the endpoint as a web page would: Origin, Referer, Sec-Fetch-Site",
    `
for (const header of ["Origin: https://evil.example", "Origin: null", "Referer: https://evil.example/", "Sec-Fetch-Site: cross-site", "ORIGIN: http://" + url.host])
  await attempt(header, [...right, header]);`,
  ),
  endpoint(
    "method-and-path",
    "ask the endpoint with other methods and spellings of the path",
    `
for (const method of ["POST", "PUT", "HEAD", "OPTIONS", "DELETE", "PATCH", "CONNECT", "TRACE", "get", "G E T"]) await attempt(method, [right[0].replace("GET", method), ...right.slice(1), "Content-Length: 0"]);
for (const path of ["/", "//" + url.pathname, url.pathname + "/", url.pathname + "?x", url.pathname + "#x", "/x/.." + url.pathname, url.pathname.toUpperCase(), url.pathname.replace("creds", "%63reds"), url.pathname.replace("/v1", "/v1/."), "http://evil.example" + url.pathname, url.pathname + "\\0", "*"])
  await attempt(JSON.stringify(path), [\`GET \${path} HTTP/1.1\`, ...right.slice(1)]);
await attempt("an override", ["POST " + url.pathname + " HTTP/1.1", ...right.slice(1), "X-HTTP-Method-Override: GET", "Content-Length: 0"]);`,
  ),
  endpoint(
    "smuggling",
    "smuggle a second request past the endpoint's checks: lengths that disagree, folded and bare lines, pipelines",
    `
const inner = \`GET \${url.pathname} HTTP/1.1\\r\\nHost: \${url.host}\\r\\n\\r\\n\`;
const bare = [\`POST / HTTP/1.1\`, \`Host: \${url.host}\`];
await attempt("CL.TE", [...bare, "Content-Length: 6", "Transfer-Encoding: chunked"], "0\\r\\n\\r\\n" + inner);
await attempt("TE.CL", [...bare, "Transfer-Encoding: chunked", "Content-Length: 4"], "5c\\r\\n" + inner + "\\r\\n0\\r\\n\\r\\n");
await attempt("two lengths", [...bare, "Content-Length: 0", "Content-Length: 99"], inner);
await attempt("TE obscured", [...bare, "Transfer-Encoding : chunked", "Content-Length: 0"], inner);
await attempt("a pipeline", [...bare, "Content-Length: 0"], inner);
await attempt("folded", [...without("Authorization"), "X: y", " Authorization: " + token]);
await attempt("bare line feeds", [right[0] + "\\n" + right[1] + "\\nOrigin: http://evil.example", ...right.slice(2)]);
await attempt("a return in the path", [\`GET /x\\rHost: \${url.host}\\r\${url.pathname} HTTP/1.1\`, ...right.slice(1)]);
await attempt("a very long head", [...without("Authorization"), "X: " + "y".repeat(60000)]);`,
  ),
  {
    id: "other-port-bound",
    group: "network",
    what: "take over the other session's port while it is in use",
    with: "python",
    program: `
import os, re, socket
ports = [int(line.split()[1].split(":")[1], 16) for line in open("/proc/net/tcp").read().split("\\n")[1:] if line.strip() and line.split()[3] == "0A" and line.split()[1].startswith("0100007F")]
own = int(re.search(r":(\\d+)/", os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]).group(1))
print("CONTROL" if own in ports else "not listed")
for port in ports:
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            try:
                server.bind((address, port))
                server.listen()
                print("REACHED", address, port)
            except OSError as error:
                print(port, error)`,
    standard: "endpoint",
    none: "endpoint",
  },
  {
    id: "vsock",
    group: "network",
    what: "open a socket to the host of a virtual machine",
    with: "python",
    program: `
import socket
try:
    socket.socket(40, socket.SOCK_STREAM)
    print("REACHED")
except OSError as error:
    print(error)`,
    standard: "reached",
    strict: "system calls",
    none: "reached",
    kernelMay: "everywhere",
    gap: "The network is shared",
  },
  {
    id: "raw-packets",
    group: "network",
    what: "listen to what goes over loopback",
    with: "python",
    program: `
import os, socket
try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
    print("REACHED")
except OSError as error:
    print(error)
if os.fork() == 0:
    os.execvp("unshare", ["unshare", "-Urn", "/usr/bin/python3", "-c", "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 768); print('CONTROL')"])
os.wait()`,
    standard: "privileges",
    none: "privileges",
  },
  aws("delete-role", "delete its own role with the session", 'client("iam").delete_role(RoleName="agent-demo")'),
  aws(
    "another-role",
    "go on to a session without its limits",
    'client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/agent-demo", RoleSessionName="free")',
  ),
  aws(
    "lift-the-policy",
    "widen its own role with the session",
    'client("iam").put_role_policy(RoleName="agent-demo", PolicyName="x", PolicyDocument="{}")',
  ),
  aws(
    "longer-keys",
    "take keys that outlive the session: GetSessionToken, GetFederationToken",
    each('client("sts").get_session_token()', 'client("sts").get_federation_token(Name="free", PolicyArns=[{"arn": ADMIN}])'),
  ),
  aws(
    "another-name",
    "go on under another name, where a kill's deny would not find it: other tags, another source identity, managed policies",
    each(
      'client("sts").assume_role(RoleArn=ROLE, RoleSessionName="free", Tags=[{"Key": "agent-session", "Value": "sess_00000000"}], TransitiveTagKeys=["agent-session"])',
      'client("sts").assume_role(RoleArn=ROLE, RoleSessionName="free", SourceIdentity="somebody")',
      'client("sts").assume_role(RoleArn=ROLE, RoleSessionName="free", PolicyArns=[{"arn": ADMIN}], DurationSeconds=43200)',
    ),
  ),
  aws(
    "open-the-role",
    "open its own role to others, or to more: its trust, its boundary, its policies, the revocation of its session",
    each(
      'client("iam").update_assume_role_policy(RoleName="agent-demo", PolicyDocument="{}")',
      'client("iam").delete_role_permissions_boundary(RoleName="agent-demo")',
      'client("iam").attach_role_policy(RoleName="agent-demo", PolicyArn=ADMIN)',
      'client("iam").delete_role_policy(RoleName="agent-demo", PolicyName="agent-run-revoke-" + os.environ["AGENT_RUN_SESSION"])',
    ),
  ),
  aws("delete-data", "delete an object with the session", 'client("s3").delete_object(Bucket="acme-data", Key="reports/q3.csv")'),
];
