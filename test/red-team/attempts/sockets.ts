// Attempts on sockets: agent-run's own, the desktop's, key agents', container engines', terminals'.
import type { Attempt } from "../attempt.ts";

/** Connects to each path, says hello in HTTP, prints what comes. */
const ASK_EACH = `
import { connect } from "node:net";
const ask = (path) => new Promise((resolve) => {
  const socket = connect(path.startsWith("@") ? "\\0" + path.slice(1) : path);
  let text = "";
  const end = () => { console.log(path, text || "nothing"); socket.destroy(); resolve(); };
  socket.on("data", (part) => (text += part)).on("end", end).on("error", (error) => { text += error.code; end(); });
  socket.on("connect", () => socket.write("GET /v1/status HTTP/1.1\\r\\nHost: agent-run\\r\\nConnection: close\\r\\n\\r\\n"));
  setTimeout(end, 1500).unref();
});
`;

const control = (request: string): string => `
import { request } from "node:http";
import { readdirSync } from "node:fs";
for (const socketPath of [process.env.RT_OWN + "/control.sock", process.env.RT_OWN + "/daemon.sock", ...sockets(process.env.RT_OWN)]) {
  await new Promise((resolve) => {
    const asked = request({ socketPath, ${request} }, (response) => {
      let text = "";
      response.on("data", (part) => (text += part)).on("end", () => { console.log(response.statusCode, text); if (response.statusCode === 200) console.log("REACHED the daemon"); resolve(); });
    });
    asked.on("error", (error) => { console.log(socketPath, error.code); resolve(); });
    asked.end(process.env.RT_BODY);
  });
}
function sockets(folder) { try { return readdirSync(folder).filter((name) => name.includes("sock")).map((name) => folder + "/" + name); } catch { return []; } }
`;

const HEADERS = `headers: { Host: "agent-run", "Content-Type": "application/json", "agent-run-protocol": process.env.RT_PROTOCOL ?? "1" }`;

export const sockets: readonly Attempt[] = [
  {
    id: "control-socket",
    group: "sockets",
    what: "ask the daemon's control socket for its sessions",
    with: "node",
    program: control(`path: "/v1/status", ${HEADERS}`),
    standard: "mounts",
    none: "reached",
  },
  {
    id: "control-socket-everywhere",
    group: "sockets",
    what: "find a socket of agent-run's anywhere: in /proc, under other roots, in every folder",
    program: `for s in $(find ~ /run /tmp /var /media -xdev -type s 2>/dev/null) /proc/[0-9]*/root"$RT_OWN"/*.sock; do case "$s" in *agent-run*) test -S "$s" && echo "REACHED $s";; esac; done; echo end`,
    standard: "mounts",
    none: "reached",
  },
  {
    id: "command-line-inside",
    group: "sockets",
    what: "list and extend sessions with agent-run's own command line",
    program: `for try in 1 2 3; do said=$(agent-run ps --json 2>&1); case "$said" in *'"session"'*) echo "REACHED the list of sessions"; break;; *) echo "$said";; esac; sleep 0.3; done
      agent-run extend "$RT_OTHER_SESSION" 1h </dev/null 2>&1`,
    standard: "daemon",
    none: "reached",
  },
  {
    id: "nested-session",
    group: "sockets",
    what: "start a session of its own, without isolation, from inside",
    program:
      'agent-run --isolation none sh -c "echo REACHED \\$AGENT_RUN_SESSION" </dev/null 2>&1; agent-run --version | sed "s/^/CONTROL: /"',
    standard: "daemon",
    none: "daemon",
  },
  {
    id: "daemon-of-its-own",
    group: "sockets",
    what: "start a daemon of its own where the real one is not seen, with the human's profile",
    program:
      'mkdir -m 700 /tmp/rt-own /tmp/rt-own/config; cp ~/.config/agent-run/config.toml /tmp/rt-own/config 2>&1; env -i HOME="$HOME" PATH="$PATH" AGENT_RUN_HOME=/tmp/rt-own AWS_ENDPOINT_URL="$AWS_ENDPOINT_URL" AWS_REGION="$AWS_REGION" agent-run --isolation none sh -c "echo REACHED \\$AGENT_RUN_SESSION" </dev/null 2>&1',
    alone: "where it is reached",
    standard: "mounts",
    none: "reached",
  },
  {
    id: "secret-service",
    group: "sockets",
    what: "ask the desktop's secret service, by the bus that the human's environment named",
    program:
      'secret-tool lookup service aws 2>&1; DBUS_SESSION_BUS_ADDRESS="unix:path=$RT_RUNTIME/bus" secret-tool lookup service aws 2>&1',
    standard: "mounts",
    none: "reached",
  },
  {
    id: "session-bus",
    group: "sockets",
    what: "call anything on the session bus",
    program: `DBUS_SESSION_BUS_ADDRESS="unix:path=$RT_RUNTIME/bus" dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames 2>&1 | sed 's/^ *string "org.freedesktop.secrets"/REACHED the secret service/'`,
    standard: "mounts",
    none: "reached",
  },
  {
    id: "ssh-agent",
    group: "sockets",
    what: "ask the ssh-agent for its keys",
    program: 'ssh-add -l 2>&1; SSH_AUTH_SOCK="$RT_RUNTIME/ssh-agent" ssh-add -L 2>&1',
    standard: "mounts",
    none: "reached",
  },
  {
    id: "tmux-typing",
    group: "sockets",
    what: "type into the human's tmux",
    program: 'tmux -S /tmp/tmux-human send-keys -t human "touch $RT_MARKS/$RT_ID" Enter 2>&1; sleep 0.5',
    later: "sleep 0.2",
    standard: "mounts",
    none: "reached",
  },
  {
    id: "tmux-reading",
    group: "sockets",
    what: "read a pane of the human's tmux",
    program: "tmux -S /tmp/tmux-human capture-pane -p -S - -t human 2>&1",
    standard: "mounts",
    none: "reached",
  },
  {
    id: "engines-and-desktop",
    group: "sockets",
    what: "talk to Docker, Podman, containerd, system bus, journal, gpg-agent, X11, Wayland, systemd, sound, screen, editors, sockets in home and in a cache",
    with: "node",
    program: `${ASK_EACH} for (const path of process.env.RT_SOCKETS.split(" ")) await ask(path);`,
    standard: "mounts",
    none: "reached",
  },
  {
    id: "every-socket",
    group: "sockets",
    what: "talk to every socket that find or /proc/net/unix shows",
    with: "node",
    program: `${ASK_EACH}
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
const own = (path) => /^\\/tmp\\/(n|rt)/.test(path);
const listed = readFileSync("/proc/net/unix", "utf8").split("\\n").map((line) => line.split(" ").at(-1)).filter((path) => path.startsWith("/"));
const found = execFileSync("sh", ["-c", "find ~ /run /tmp /var/tmp -xdev -type s 2>/dev/null || true"], { encoding: "utf8" }).split("\\n");
for (const path of new Set([...listed, ...found].filter((path) => path && !own(path) && !/\\/(late|apart)\\.sock/.test(path)))) await ask(path);
console.log("end");`,
    standard: "mounts",
    none: "reached",
  },
  {
    id: "abstract-socket",
    group: "sockets",
    what: "talk to an abstract socket, as an X server has one",
    with: "node",
    program: `${ASK_EACH} await ask("@/tmp/.X11-unix/X7");`,
    standard: "landlock",
    strict: "network",
    none: "reached",
  },
  {
    id: "late-socket",
    group: "sockets",
    what: "talk to a socket that comes into being while it runs, in a folder of home that is shown",
    with: "node",
    program: `${ASK_EACH}
import { existsSync } from "node:fs";
const path = process.env.HOME + "/.config/app/late.sock";
for (let tries = 0; tries < 60 && !existsSync(path); tries += 1) await new Promise((resolve) => setTimeout(resolve, 100));
await ask(path);`,
    standard: "reached",
    strict: "mounts",
    none: "reached",
    gap: "Sockets that appear while the agent runs",
  },
  {
    id: "socket-by-another-name",
    group: "sockets",
    what: "talk to sockets that are no longer called what they were bound by: an SSH connection that is shared, a renamed one, one with a relative name",
    with: "node",
    program: `${ASK_EACH} for (const name of [".ansible/cp/0123456789", ".config/app/renamed.sock", ".config/app/relative.sock"]) await ask(process.env.HOME + "/" + name);`,
    standard: "mounts",
    none: "reached",
  },
  {
    id: "socket-of-another-network",
    group: "sockets",
    what: "talk to a socket in a folder of home that a program in another network namespace listens on, such as one in a container",
    with: "node",
    program: `${ASK_EACH} await ask(process.env.HOME + "/.config/apart/apart.sock");`,
    standard: "reached",
    strict: "mounts",
    none: "reached",
    kernelMay: "everywhere",
    gap: "Sockets of programs in another network namespace",
  },
  {
    id: "pipe-in-home",
    group: "sockets",
    what: "command a program of the human's through a named pipe in a folder of home that is shown",
    with: "python",
    program: `
import os
try: os.write(os.open(os.path.expanduser("~/.config/app/commands"), os.O_WRONLY | os.O_NONBLOCK), ("touch %s/%s\\n" % (os.environ["RT_MARKS"], os.environ["RT_ID"])).encode())
except OSError as error: print(error)`,
    later: "sleep 0.5",
    standard: "reached",
    strict: "mounts",
    none: "reached",
    gap: "Named pipes",
  },
  {
    id: "stop-the-daemon",
    group: "sockets",
    what: "end every session through the control socket",
    with: "node",
    program: `process.env.RT_BODY = JSON.stringify({ session: "all" });${control(`path: "/v1/kill", method: "POST", ${HEADERS}`)}`,
    later: 'sleep 1; agent-run ps --json | grep -q "$RT_OTHER_SESSION" || echo "REACHED: the other session is gone"',
    alone: "where it is reached",
    standard: "mounts",
    none: "reached",
  },
  {
    id: "commands-inside",
    group: "sockets",
    what: "kill, extend, open the console of and forget other sessions, trust settings and stop the daemon with agent-run's own commands",
    program: `echo "$AGENT_RUN_SESSION" > its-session
      for words in trust "console $RT_OTHER_SESSION" "extend $RT_OTHER_SESSION 1h" "kill $RT_OTHER_SESSION" revocations "kill $AGENT_RUN_SESSION" "daemon stop"; do
        agent-run $words </dev/null 2>&1 && echo "REACHED $words"; done`,
    later: `agent-run audit --json "$(cat its-session)" | grep -q '"killed"' && echo "REACHED: its session was killed"; rm -f its-session`,
    alone: "where it is reached",
    standard: "daemon",
    none: "reached",
  },
  {
    id: "control-garbage",
    group: "sockets",
    what: "bring the daemon down through its control socket: broken HTTP, large and deep bodies, leases that say nothing, connections without end",
    with: "node",
    program: `
import { connect } from "node:net";
const path = process.env.RT_OWN + "/control.sock";
const say = (bytes, ms = 300) => new Promise((resolve) => {
  const socket = connect(path);
  let text = "";
  const end = () => { socket.destroy(); resolve(text.split("\\r\\n")[0]); };
  socket.on("data", (part) => (text += part)).on("close", end).on("error", (error) => { text ||= error.code; end(); });
  socket.on("connect", () => socket.write(bytes));
  setTimeout(end, ms).unref();
});
const head = "Host: agent-run\\r\\nContent-Type: application/json\\r\\n";
const post = (body, length = body.length) => "POST /v1/kill HTTP/1.1\\r\\n" + head + "Content-Length: " + length + "\\r\\n\\r\\n" + body;
const lease = "GET /v1/lease HTTP/1.1\\r\\nHost: agent-run\\r\\nConnection: Upgrade\\r\\nUpgrade: agent-run-lease\\r\\nagent-run-protocol: " + process.env.RT_PROTOCOL + "\\r\\n\\r\\n";
const plain = "GET /v1/status HTTP/1.1\\r\\nHost: agent-run\\r\\nConnection: close\\r\\n\\r\\n";
const said = await say(plain, 5000);
if (said.includes(" 200 ")) console.log("CONTROL: it answers");
for (let open = 0; open < 300; open += 1)
  await new Promise((go) => { const socket = connect(path, () => socket.write("GET /v1/status HTTP/1.1\\r\\nX: ", go)).on("error", go); });
for (const bytes of [
  "\\0".repeat(5000), "GET / HTTP/9.9\\r\\n\\r\\n", "GET /v1/status HTTP/1.1\\r\\n" + "X: y\\r\\n".repeat(9000) + "\\r\\n",
  post("x".repeat(200000)), post("[".repeat(30000) + "]".repeat(30000)), post('{"session":' + "9".repeat(60000) + "}"), post('{"__proto__":{"session":"all"},"session":{}}'), post("{}", 1e15),
  "POST /v1/kill HTTP/1.1\\r\\n" + head + "Transfer-Encoding: chunked\\r\\nContent-Length: 4\\r\\n\\r\\n5\\r\\n" + plain,
  plain.replace("Host: agent-run", "Host: evil.example"), plain.replace("\\r\\n\\r\\n", "\\r\\nOrigin: https://evil.example\\r\\n\\r\\n"),
  lease + "x".repeat(400000), lease + '{"type":"open"}\\n', lease + "{}\\n".repeat(9000), lease + '{"type":"open","profile":' + "[".repeat(20000),
]) {
  const answer = await say(bytes);
  console.log(answer);
  if (answer.includes(" 200 ")) console.log("REACHED: it took", JSON.stringify(bytes.slice(0, 80)));
}
process.exit();`,
    later: 'agent-run ps --json | grep -q "$RT_OTHER_SESSION" || echo "REACHED: the other session is gone"',
    standard: "mounts",
    none: "daemon",
  },
  {
    id: "early-start",
    group: "processes",
    what: "have the agent of another session of the human's start before its identity gate: go on for its sandbox, find its endpoint",
    with: "python",
    program: `
import glob, os, signal, time, urllib.request
own, over = os.environ["RT_OWN"], os.environ["RT_ID"] + "-over"
def line(pid):
    try: return open("/proc/%s/cmdline" % pid, "rb").read()
    except OSError: return b""
def waiting(): return {pid for pid in os.listdir("/proc") if pid.isdigit() and b"agent_run_" in line(pid)}
def ports(): return {int(each.split()[1].split(":")[1], 16) for each in open("/proc/net/tcp").read().split("\\n")[1:] if each.strip() and each.split()[3] == "0A"}
known, heard, folders = waiting(), ports(), set(glob.glob(own + "/sess_*"))
told = set()
print("READY", flush=True)
end = time.time() + 20
while not os.path.exists(over) and time.time() < end:
    for pid in waiting() - known:
        if pid not in told: print("CONTROL: it waits", pid, flush=True)
        told.add(pid)
        try: os.kill(int(pid), signal.SIGCONT)
        except OSError as error: print(error)
    for folder in set(glob.glob(own + "/sess_*")) - folders:
        try: open(folder + "/released", "x").close()
        except OSError as error: told.add(str(error))
        for port in ports() - heard:
            asked = urllib.request.Request("http://127.0.0.1:%d/v1/s/%s/creds" % (port, os.path.basename(folder)), headers={"Authorization": os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"]})
            try: print("REACHED" if b"AccessKeyId" in urllib.request.urlopen(asked, timeout=0.5).read() else "nothing")
            except OSError as error: told.add(str(error))
    time.sleep(0.02)
print(sorted(told))`,
    meanwhile: `mkdir -p ~/code/third; cd ~/code/third; agent-run --isolation standard sh -c 'echo x > started'; test -e started && echo REACHED; true`,
    alone: "always",
    standard: "processes",
    none: "daemon",
  },
  {
    id: "docker-contexts",
    group: "sockets",
    what: "use the docker command line's contexts: the engines that they name, the keys that they hold, sockets of Desktop and of a rootless engine",
    with: "node",
    program: `${ASK_EACH}
import { existsSync, readdirSync, readFileSync } from "node:fs";
const { HOME: home, RT_RUNTIME: runtime } = process.env;
const below = (folder) => { try { return readdirSync(folder, { recursive: true }).map((name) => folder + "/" + name); } catch (error) { console.log(error.code); return []; } };
const hosts = [];
for (const file of below(home + "/.docker/contexts")) {
  if (!/\\.(json|pem)$/.test(file)) continue;
  const text = readFileSync(file, "utf8");
  console.log(text);
  if (file.endsWith("meta.json")) hosts.push(JSON.parse(text).Endpoints.docker.Host.replace("unix://", ""));
}
for (const path of [...hosts, home + "/.docker/run/docker.sock", home + "/.docker/desktop/docker.sock", runtime + "/docker.sock", "/var/run/docker.sock"]) await ask(path);
process.exit();`,
    standard: "mounts",
    none: "reached",
  },
];
