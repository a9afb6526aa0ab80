// What the pages promise (never, only, always, refuses, within …), each with the tests that would fail if it were not so. Held by claims.test.ts.
import type { Proof } from "./proof.ts";

/** By the page, and by words of it that stand there as they are here, but for where its lines break. */
export const PROMISES: Readonly<Record<string, Readonly<Record<string, readonly Proof[]>>>> = {
  "README.md": {
    "refuses the root user": [["aws/identity.test.ts", "the root user %s is refused"]],
    "starts nothing unless the answer is exactly the expected session": [
      ["end-to-end/identity-gate.test.ts", "launches nothing for %s, and says what it expected and what it found"],
    ],
    "**ends the agent when its time is up**": [["transcripts/expiry-stop.txt"]],
    "no process, no file, no port, no credential served": [
      ["end-to-end/pipes.test.ts", "leaves no file, no port and no open session"],
      ["chaos/chaos.test.ts", "leaves nothing behind, whatever dies and when"],
    ],
    "same bytes, same keys, same signals, same exit status": [
      ["end-to-end/pipes.test.ts", "passes stdin, stdout and stderr byte for byte"],
      ["oracle/programs.test.ts", "bash: prompts, lines that scroll, clear, reset"],
      ["terminal/attach.test.ts", "ends with the status of '%s'"],
    ],
    "is denied *with an explicit deny in a session policy*": [
      ["end-to-end/demo.test.ts", "runs an agent that may read and may not delete, and says so"],
    ],
    "The end of a run lists what it changed of that kind": [
      ["transcripts/files-that-run-later.txt"],
      ["isolation/left-behind.test.ts", "is what was made or changed since, in folders too, and nothing else"],
    ],
    "half a second later at the earliest: what was typed before the question could be read is no answer to it": [
      ["transcripts/kill-key-typed-ahead.txt"],
      ["terminal/overlay.test.ts", "are none in the first half second"],
    ],
    "goes through a launch and starts nothing": [
      ["end-to-end/moto.test.ts", "takes every step of a start in a dry run, and starts nothing"],
    ],
    "with nothing in `~/.aws`": [["credentials/sign-in.test.ts", "is taken by an AWS profile with SSO before the login of the AWS CLI"]],
    "to be asked before the end": [["transcripts/expiry-ask.txt"]],
    "more time, answered at its own terminal": [["transcripts/extend.txt"]],
    "a kill cuts the local access at once, writes that deny for the one session, looks until it holds, and says so": [
      ["end-to-end/revoke.test.ts", "denies copied keys once it says confirmed"],
      ["aws/revoke/canary.test.ts", "is confirmed by two refusals in a row that name the policy, not by one"],
    ],
  },
  "docs/concepts.md": {
    "it stays the same through every refresh": [
      ["end-to-end/lifecycle.test.ts", "goes on past the lifetime of its credentials, without a restart of the agent"],
    ],
    "all transitive": [["aws/assume.test.ts", "is every part of the request, each tag transitive"]],
    "Values are cut and cleaned to what STS accepts, and what was changed is said": [
      ["aws/names.test.ts", "have values that STS always accepts"],
      ["aws/names.test.ts", "say all that was changed, and leave out what is empty"],
    ],
    "In a run only the daemon uses them, in memory": [
      ["end-to-end/secrets.test.ts", "has none of the human's keys in its environment"],
      ["end-to-end/secrets.test.ts", "prints and leaves no secret over fetches, refusals, refreshes"],
    ],
    "and the command line overrides both": [["session/profile.test.ts", "is overridden by config.toml, and that by the command line"]],
    "is an error with file, line and column; nothing is started on a guess": [
      ["session/profile.test.ts", "with %s is told with file, line and column"],
      ["end-to-end/bad-input.test.ts", "names line and column of a setting that config.toml cannot have"],
    ],
    "If it does not, nothing is launched.": [["end-to-end/identity-gate.test.ts", "launches nothing for %s"]],
    "IAM is asked to simulate the role, or the role's own policies are read": [
      ["aws/restriction.test.ts", "says what a wide role may do that the session policy leaves open, by simulation"],
      ["aws/restriction.test.ts", "reads the role's documents when it may not simulate"],
    ],
    "`env`: three static variables; they cannot be renewed, so the session ends with them at the latest": [
      ["end-to-end/lifecycle.test.ts", "with keys in the environment ends with these keys"],
      ["end-to-end/secrets.test.ts", "%s delivery puts secrets where it says, and nowhere else"],
    ],
    "ended after its grace, exit status 124": [
      ["transcripts/expiry-stop-stubborn.txt"],
      ["end-to-end/lifecycle.test.ts", "is ended within a second of its limit, with exit status 124"],
    ],
    "another window of the same length begins, up to `max_ttl`": [
      ["session/state.test.ts", "begins another window with refresh, but none past the longest time"],
    ],
    "no answer goes past `max_ttl`": [["session/state.test.ts", "never lets a limit pass the last one"]],
    "a machine that slept past it ends the session at once when it wakes": [
      ["chaos/wake.test.ts", "ends all at once after one past their lim"],
      ["session/state.test.ts", "finds itself expired at once when the machine slept past the limit"],
    ],
    "a clock that is set back gives no time": [
      ["core/core.test.ts", "fire a timer no later than its time from now when the clock is set back meanwhile"],
    ],
    "interactive shells ignore SIGTERM and leave at SIGHUP": [
      ["end-to-end/lifecycle.test.ts", "kill ends an interactive shell, which ignores SIGTERM, within its grace"],
    ],
    "No other session of the role is touched.": [
      ["end-to-end/revoke.test.ts", "denies copied keys once it says confirmed"],
      ["end-to-end/revoke.test.ts", "of 50 sessions at once denies every one of them"],
    ],
    "A killed session never comes back": [
      ["end-to-end/revoke.test.ts", "is final: a launcher that asks for the session again is refused"],
      ["end-to-end/revoke.test.ts", "is remembered: no later daemon takes the session back"],
    ],
    "`agent-run env` lists each change with its reason": [
      ["session/environment.test.ts", "gives a reason for each change, and never a value"],
    ],
    "the agent gets one row less, and what it writes there is clamped or painted over": [
      ["transcripts/bar-reserves-a-row.txt"],
      ["terminal/compositor-fuzz.test.ts", "keeps the bar, and never throws, whatever a hostile agent writes"],
    ],
  },
  "docs/sign-in.md": {
    "The first of these that is there is used, and nothing else is tried after it": [
      ["credentials/sdk-agreement.test.ts", "give the same key, or none, as AWS's SDK for JavaScript finds in them"],
      ["end-to-end/credentials.test.ts", "no other source is taken"],
    ],
    "takes only the answer with this sign-in's own state": [
      ["credentials/sign-in.test.ts", "is told nothing by others, who cannot end it either"],
    ],
    "a valid login of the AWS CLI is used, and renewed in memory only": [
      ["credentials/sso.test.ts", "is renewed in memory, and the CLI's file stays as it is"],
    ],
    "it writes no settings": [["end-to-end/login.test.ts", "lets the human choose one at the terminal"]],
    "The daemon renews it shortly before its token ends and writes it back": [
      ["credentials/sign-in.test.ts", "is renewed once for many, shortly before its end, and what is new is written back"],
    ],
    "the session lives in the daemon's memory": [["end-to-end/login.test.ts", "without a keyring keeps it in the daemon's memory"]],
    "so that the token is taken nowhere any more": [
      ["credentials/sign-in.test.ts", "opens accounts and roles, and none any more once it is signed out"],
    ],
    "A code is asked for at the launch, at the launcher's own terminal, before there is an agent": [["transcripts/mfa-right.txt"]],
    "keeps in its memory and nowhere else, so that later launches and renewals with the same keys and device ask for none": [
      [
        "credentials/mfa-sessions.test.ts",
        "holds for other profiles, terminals and renewals with the same keys, on no disk, until it is forgotten",
      ],
      ["transcripts/mfa-holds.txt"],
    ],
    "Where a role wants a newer code than that": [
      ["credentials/mfa-sessions.test.ts", "is asked for anew where the role wants a newer one, once"],
    ],
    "must print six digits and nothing else": [
      ["credentials/sources.test.ts", "with an mfa_process asks that, in the human's environment"],
    ],
    "a repository's `.agent-run.toml` with one is refused": [["session/layers.test.ts", "cannot name %s"]],
    "which is renewed at half of its life": [["credentials/broker.test.ts", "renews at half-life and serves the new ones"]],
    "The agent goes on meanwhile and sees none of it": [
      ["transcripts/sign-in-mfa.txt"],
      ["end-to-end/sign-in-overlay.test.ts", "is told on the bar and made anew with a code, which the agent does not notice"],
    ],
    "version 2 of its metadata service only": [["credentials/sources.test.ts", "is asked by version 2 only, when nothing else is there"]],
    "Token, endpoint and metadata address are not handed on to the agent": [
      ["session/environment.test.ts", "lets no AWS credential variable of the human through, whatever is passed or allowed"],
    ],
    "`add` asks at the terminal and does not show the secret": [
      ["end-to-end/credentials.test.ts", "are asked for at the terminal, where the secret is not shown"],
    ],
    "STS is asked whose they are before they are stored": [["end-to-end/credentials.test.ts", "that AWS does not know are not stored"]],
    "`import` reads and changes nothing at the old place": [
      ["end-to-end/credentials.test.ts", "come from a profile of ~/.aws/credentials, which stays as it is"],
    ],
    "It can be cut off at any step: what is stored works": [
      ["end-to-end/credentials.test.ts", "are rotated to the end after a SIGKILL between any two of the steps"],
    ],
    "A second key that it did not make is left alone and named": [
      ["credentials/stored.test.ts", "leaves a second key of the user alone, whoever made it"],
    ],
    "3 s at most, so that a keyring that hangs or crashes holds nobody up": [
      ["credentials/keyring.test.ts", "whose program never answers is given up"],
    ],
    "it is never taken for a keyring without your keys": [
      ["credentials/keyring.test.ts", "that is locked, with nobody to ask for its password, is an error and not an absence"],
    ],
    "in `sealed/` of the state folder, 0600": [
      ["credentials/stored.test.ts", "opens with its passphrase, is for its owner alone, and holds nothing readable"],
    ],
    "before there is an agent, and once": [
      ["end-to-end/credentials.test.ts", "in a sealed file are opened with a passphrase at the terminal, once"],
    ],
  },
  "docs/terminal.md": {
    "the time, a missing isolation and a sign of trouble never do": [
      ["terminal/bar.test.ts", "keeps the time, the trouble and the missing isolation in 20 columns"],
    ],
    "goes after profile, session and the usual delivery": [["terminal/bar.test.ts", "in %i columns a caveat says what it is about"]],
    "Below three rows the bar goes, and the session stays": [
      ["terminal/attach.test.ts", "of two rows shows the agent without a bar, and gets the bar when it grows"],
    ],
    "while it ends, once more skips the grace": [["transcripts/kill-key-skips-grace.txt"]],
    "what was typed for the agent never answers a question": [
      ["terminal/overlay.test.ts", "is not answered by a burst of keys, however long"],
      ["terminal/overlay.test.ts", "are none while a key is held down"],
    ],
    "it says `too soon`, and a third press, a moment later, does": [
      ["terminal/overlay.test.ts", "says that a second press came too soon, and takes the one after"],
    ],
    "What it writes is held, and shown in order when the overlay goes": [
      ["terminal/overlay.test.ts", "leaves everything as it was, and output goes on exactly"],
      ["transcripts/output-under-question.txt"],
    ],
    "it comes up when yours is closed": [["terminal/overlay.test.ts", "waits with a question of others until the human's own is closed"]],
    "never inside a bracketed paste, and never in mouse reports": [
      ["terminal/key-tap.test.ts", "is not found in %s, which passes untouched"],
    ],
    "An Escape waits 10 ms": [["terminal/key-tap.test.ts", "keeps a lone Escape for 10 ms at most"]],
    "a button that was pressed above it is let go in the agent's last row": [
      ["terminal/input-filter.test.ts", "lets go in the agent's last row what was pressed above it"],
    ],
    "shows no bar of its own": [
      ["terminal/attach.test.ts", "inside another one shows one bar, and the keys of both reach whom they are for"],
    ],
    "gains one line in that question, and never the key": [
      ["terminal/attach.test.ts", "both are ended with 'a', also when what is inside only says"],
    ],
    "`TERM=dumb`, or no terminal: no bar, and no sequence of ours": [
      ["transcripts/dumb-terminal.txt"],
      ["end-to-end/keys-without-bar.test.ts", "show an agent with TERM=dumb no sequence of ours, and a program that draws its own"],
    ],
    "What the bar would say is wrong is said on stderr": [
      ["end-to-end/lifecycle.test.ts", "without a bar says on stderr, once, what is wrong meanwhile"],
    ],
    "a guard process restores the terminal's modes and screen within a second": [
      ["terminal/attach.test.ts", "is itself again within a second after the launcher was killed by SIGKILL"],
    ],
    "Its limit, Ctrl-K and `agent-run kill` end the agent all the same": [
      ["terminal/attach.test.ts", "that stops its terminal's output (TCOOFF, needs perl)"],
      ["transcripts/freezes-its-terminal.txt"],
    ],
    "never inside a string or synchronised output": [
      ["terminal/compositor.test.ts", "paints where the terminal's cursor is, not where it will be"],
    ],
    "The text names agent and session and nothing else": [
      ["terminal/desktop-notice.test.ts", "holds no character that ends it, hides something or is read as a field"],
    ],
  },
  "docs/threat-model.md": {
    "answer it as they answer you": [["red-team/red-team.test.ts", "is linked in the threat model, which names every gap"]],
    "Stop them, give them passwords, or use `strict`.": [
      ["isolation/strict.test.ts", "reaches the ports that are served, and nothing else of the machine's loopback"],
    ],
    "At `strict` to the named hosts": [["isolation/forwarder.test.ts", "dials nothing for any other request"]],
    "which opens more of the kernel to it; `strict` refuses them": [
      ["isolation/strict.test.ts", "lets no sandbox start inside, unless that was asked for"],
    ],
    "the package has no install script, builds are reproducible": [
      ["packages/npm.test.ts", "brings what it runs on and nothing else, and no script that an installation would run"],
      ["packages/npm.test.ts", "is the same bytes, in another folder, at another hour, under another umask and language"],
    ],
    "a release says where it was built": [
      ["packages/release.test.ts", "is published with provenance, a bill of materials and checksums, after all checks"],
    ],
    "the account of the role must be of the profile's stage": [
      ["end-to-end/grants.test.ts", "keeps an agent of staging out of a production account"],
    ],
    "a session that was narrowed so does not come back without": [
      ["end-to-end/grants.test.ts", "that an agent changed does not come back wider when the daemon dies"],
    ],
    "AWS variables never pass, whatever is asked; nor does any value with an access key id": [
      ["session/environment.test.ts", "lets no AWS credential variable of the human through"],
      ["session/environment.test.ts", "lets no value with an access key id through, under whatever name"],
    ],
    "the control socket is not there in the sandbox": [["isolation/sandbox.test.ts", "reaches no socket of the human: the control socket"]],
    "what all agents together hold leaves half of the process's descriptors to the kill, to renewals and to files": [
      ["end-to-end/exhaustion.test.ts", "an agent that takes all the connections that it can get"],
    ],
    "lets no agent start where that is not the plan's": [
      ["isolation/mounted.test.ts", "are wrong where they show another part of the file system"],
      ["isolation/mounted.test.ts", "has no agent where a file of the agent's became a link to a key"],
    ],
    "no capabilities, no new privileges": [["isolation/sandbox.test.ts", "has no privileges, and gains none"]],
    "a new daemon ends what a dead one left": [
      ["end-to-end/lifecycle.test.ts", "SIGKILL of both: the next daemon ends what was left, and the next launch works at once"],
    ],
    "the endpoint has no grant and refuses; whoever dies then takes it along": [
      ["end-to-end/held-sandbox.test.ts", "no agent when the gate refuses, the error alone is seen, nothing is left"],
      ["end-to-end/held-sandbox.test.ts", "a daemon that dies then ends the launch, and nothing is left"],
    ],
    "the session policy that is sent denies everything from the limit on": [
      ["end-to-end/lifecycle.test.ts", "sends a session policy that ends with the limit, so that copied keys do too"],
    ],
    "the report says so, and the keys live until they expire": [
      ["end-to-end/revoke.test.ts", "on which role, and until when the keys live"],
    ],
    "With `stop` and `ask` nothing works after the limit": [
      ["end-to-end/lifecycle.test.ts", "sends a session policy that ends with the limit, so that copied keys do too"],
    ],
    "From another machine** `agent-run kill` with `--role` denies a session": [
      ["end-to-end/revoke.test.ts", "from another machine takes the session's id and role"],
    ],
    "near IAM's 10,240 characters": [["end-to-end/revoke.test.ts", "near the quota merges, and all are denied all the same"]],
    "a profile without one is refused": [["session/profile.test.ts", "without a session policy is refused: every session is bounded"]],
    "allows only what every one of its policies allows": [
      ["policy/compile-session.test.ts", "allows just what every one of its policies allows"],
    ],
    "AWS stores and our own folders can not be given back": [
      ["isolation/sandbox.test.ts", "refuses to give back AWS stores and unknown names"],
    ],
    "no debugger opens on a signal; no core file": [
      ["end-to-end/secrets.test.ts", "leaves no core file, and no debugger can be opened in it"],
    ],
    "127.0.0.1 only": [["credentials/endpoint.test.ts", "other addresses of the machine, loopback or not, do not listen"]],
    "must be a real folder of yours with mode 0700, else nothing starts": [
      ["core/folder.test.ts", "that others can enter is refused"],
      ["control/start-daemon.test.ts", "is refused when another user owns it, whatever listens there"],
    ],
    "every message is checked against a schema on both sides": [
      ["control/lease.test.ts", "is closed with an error by %s, which is not quoted"],
    ],
    "`TIOCSTI`, `TIOCLINUX` and what changes a console's keys are refused": [
      ["isolation/terminal.test.ts", "takes no typed characters from a program (TIOCSTI)"],
      [
        "isolation/seccomp.test.ts",
        "allows everything else, refuses of ioctls those that have a terminal type, and knows no foreign machine",
      ],
    ],
    "what acts or is not seen is replaced in all that is printed, and escaped in JSON; on the bar it is taken out": [
      ["core/printable.test.ts", "holds no character that moves, hides or reorders, whatever it was"],
      ["core/printable.test.ts", "means the same and holds no such character"],
      ["terminal/bar.test.ts", "cannot be changed by what is in a name"],
    ],
    "an error, never a weaker level": [
      ["end-to-end/no-isolation.test.ts", "is not given up for less by the settings of a profile either"],
      ["isolation/probe.test.ts", "refuses machines that it has no driver for, and never steps down"],
    ],
    "no agent starts in a sandbox that would outlive its launcher": [
      ["end-to-end/orphan.test.ts", "no agent starts, whoever else is dead"],
    ],
    "the question is asked over the lease of the session's own launcher": [["transcripts/extend.txt"]],
    "a tombstone in the state folder": [["session/clean-up.test.ts", "counts also where it cannot be read"]],
    "on disk before the agent starts": [["audit/log.test.ts", "reports a full disk within the given time, and leaves whole records only"]],
    "was refused for that deny twice in a row": [
      ["aws/revoke/canary.test.ts", "is confirmed by two refusals in a row that name the policy"],
    ],
    "a session that may do one of them is refused, unless the profile accepts it": [
      ["end-to-end/grants.test.ts", "is refused to a role that may destroy, with all that the profile would have to accept"],
      ["end-to-end/grants.test.ts", "may run for once when each of those actions is accepted by name"],
    ],
    "the first twenty refusals of a session are recorded, then each that doubles their number": [
      ["end-to-end/pipes.test.ts", "records the first refusals of a session and counts the rest"],
    ],
    "answers the session's own user and root alone": [
      ["credentials/peer.test.ts", "is refused when it is another user's, even with the token"],
    ],
    "`agent-run audit --verify` warns": [["audit/log.test.ts", "a record that was left half written"]],
    "It must be writable at the start": [["end-to-end/bad-input.test.ts", "cannot write the audit"]],
  },
  "docs/isolation.md": {
    "ends the run with status 125 and the command that mends it, and never steps down": [
      ["end-to-end/no-isolation.test.ts", "is refused without bubblewrap, with the command that installs it"],
    ],
    "also when your own programs replace or create it while the agent runs": [
      ["isolation/sandbox.test.ts", "keeps hiding a file that the human's own programs replace meanwhile"],
    ],
    "Links into and out of stores are followed, and so are variables": [
      ["isolation/sandbox.test.ts", "hides what a link in a store leads to, and a store that is itself a link"],
      ["isolation/sandbox.test.ts", "hides stores that a variable moved elsewhere, also into the project"],
    ],
    "only this session's part is there, to read": [
      ["isolation/sandbox.test.ts", "shows its own session's files to read, and no other session's"],
    ],
    "that lies where an agent can write is not used, whatever PATH says": [
      ["isolation/sandbox.test.ts", "is not made by a bwrap that an agent could have left in the project"],
    ],
    "**Processes**: only the agent's own": [["isolation/sandbox.test.ts", "shows only its own processes, and no environment of others"]],
    "the kernel ends all of them": [
      ["isolation/sandbox.test.ts", "takes every process with it when its outer process is killed, setsid ones too"],
      ["isolation/sandbox.test.ts", "takes every process with it when whoever started it is killed"],
    ],
    "**What would run later as you is read-only**": [
      ["isolation/sandbox.test.ts", "protects git's hooks and configuration, also against renaming what holds them"],
      ["isolation/sandbox.test.ts", "makes and removes stand-ins for an agent's settings"],
    ],
    "nothing in it is writable and the run says so": [
      ["isolation/plan.test.ts", "makes nothing writable when the project is %s, and says so"],
    ],
    "**Home is empty**, writable, and gone at the end": [
      ["isolation/strict.test.ts", "shows nothing of home but the agent's own state and toolchains"],
      ["isolation/strict.test.ts", "has the project to write, and throws away what is written elsewhere in home"],
    ],
    "Its loopback has one thing that answers": [
      ["isolation/strict.test.ts", "reaches the ports that are served, and nothing else of the machine's loopback"],
    ],
    "It answers `CONNECT` for port 443 of these hosts and nothing else": [
      ["isolation/forwarder.test.ts", "dials nothing for any other request"],
    ],
    "A repository's `.agent-run.toml` cannot name hosts": [["session/layers.test.ts", "cannot name %s"]],
    "each launch looks whether the service answers": [
      ["end-to-end/doctor.test.ts", "warns of a metadata service that the agent could ask too"],
    ],
    "AWS variables are never given back": [["session/environment.test.ts", "lets no AWS credential variable of the human through"]],
  },
  "docs/protocol.md": {
    "mode 0600 in a folder of mode 0700": [["daemon/socket.test.ts", "is for the user alone: 0600 in a folder with 0700"]],
    "It is not there inside the sandbox": [["isolation/sandbox.test.ts", "reaches no socket of the human: the control socket"]],
    "of these not what began after the command was typed, which is named": [
      ["end-to-end/lifecycle.test.ts", "kill --all that is slow to start leaves a session that began after it was typed, and names it"],
    ],
    "and garbage closes the connection": [
      ["daemon/socket.test.ts", "ends the session of a client that sends garbage, a message that is not due or a line without end"],
    ],
    "Closing it, for whatever reason, ends the session": [
      ["daemon/socket.test.ts", "opens a session, which ends when the lease is closed"],
    ],
    "answers 409 and acts on nothing": [["daemon/socket.test.ts", "acts on no first message that is for a daemon of another version"]],
    "same id, port and token, so that SDK clients that run go on": [
      ["end-to-end/lifecycle.test.ts", "SIGKILL of the daemon: the session goes on under the same id, port and token"],
      ["end-to-end/lifecycle.test.ts", "SIGKILL of the daemon is nothing that boto3 inside notices"],
    ],
    "only if its audit has no end and no kill": [
      ["end-to-end/revoke.test.ts", "is final: a launcher that asks for the session again is refused, by this daemon and by the next"],
      ["end-to-end/revoke.test.ts", "is remembered: no later daemon takes the session back, even when its audit is gone"],
    ],
    "A daemon has a small shell beside it that starts the next one when it dies with a session open": [
      ["end-to-end/orphan.test.ts", "without another launch: the daemon's keeper sees to that"],
    ],
    "the answer comes from memory": [["credentials/broker.test.ts", "answers from memory without asking"]],
    "After the end it answers 410 until it is closed": [["credentials/endpoint.test.ts", "says why and what to do, as botocore prints it"]],
  },
  "docs/tools.md": {
    "It starts the daemon by itself, and the daemon leaves when nothing runs any more": [
      ["end-to-end/ci-base.test.ts", "from %s, and is who the SDK is there"],
      ["daemon/daemon.test.ts", "leaves when it was idle for its time, and not while there is a session or a connection"],
    ],
    "the program does not get them: not in its variables": [
      ["session/environment.test.ts", "lets no AWS credential variable of the human through, whatever is passed or allowed"],
    ],
    "no bar, no keys of ours, no question, no line at the end": [
      ["end-to-end/exec.test.ts", "leaves a terminal to the program: no bar, no key of ours, no line at the end"],
    ],
    "What is wrong is said on stderr": [
      ["end-to-end/exec.test.ts", "says what is wrong on stderr alone, and asks nothing"],
      ["end-to-end/lifecycle.test.ts", "without a bar says on stderr, once, what is wrong meanwhile"],
    ],
    "Ctrl-C reaches it through us": [["end-to-end/exec.test.ts", "passes Ctrl-C on, once, and leaves the end to the program"]],
    "the client's own pipes: nobody passes bytes on, so that none is changed and none waits": [
      ["end-to-end/exec.test.ts", "as a session of its own role, on the very pipes of the client"],
    ],
    "It ends with its client": [["end-to-end/exec.test.ts", "is ended with its client, without a word on stdout"]],
    "another one is refused before the role is assumed": [
      ["end-to-end/exec.test.ts", "another tool is refused it before anything is assumed, also when the first has left"],
    ],
    "A repository's file cannot say it": [["end-to-end/exec.test.ts", "for one run or in config.toml, and never by the repository"]],
    "From inside a session no other one can be opened": [
      ["end-to-end/exec.test.ts", "opens no session from inside one that is isolated, and says what to do"],
    ],
    "by an address on 127.0.0.1 that leads on once": [
      ["end-to-end/console.test.ts", "leads on once, so that no list of processes shows the other"],
    ],
    "It is refused from a pipe and from inside a session": [
      ["end-to-end/console.test.ts", "does nothing without the profile's leave, from a pipe, from inside a session"],
    ],
    "So it is off unless the profile says": [["end-to-end/console.test.ts", "does nothing without the profile's leave"]],
    "and the end of one is not the end of another": [
      ["end-to-end/exec.test.ts", "each as itself; the end of one is not the end of another"],
    ],
  },
};
