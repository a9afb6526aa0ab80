// Whom the human's keys and the terminal's answers are for: the agent gets its own, as they came, and nothing else.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Compositor } from "../../src/terminal/compositor.ts";
import { Dialogs } from "../../src/terminal/dialogs.ts";
import { InnerRuns, InnerVoice } from "../../src/terminal/inner-run.ts";
import { InputFilter } from "../../src/terminal/input-filter.ts";
import { KeyRouter } from "../../src/terminal/key-router.ts";
import { parseKey } from "../../src/terminal/kill-key.ts";
import { OverlayHost } from "../../src/terminal/overlay-host.ts";
import { Questions } from "../../src/terminal/questions.ts";
import { terminalKind } from "../../src/terminal/terminal-look.ts";
import { writtenTo } from "./parts.ts";

const KILL = "\x0b";
const ROWS = 10;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function world(voice?: InnerVoice) {
  const { output } = writtenTo();
  const toAgent = (bytes: Uint8Array): void => void happened.push(Buffer.from(bytes).toString("latin1"));
  const happened: string[] = [];
  const compositor = new Compositor({ size: { cols: 40, rows: ROWS }, reserve: true, emit: output.write, marker: () => false });
  const filter = new InputFilter();
  const questions = new Questions((text) => output.write(text), filter);
  const overlay = new OverlayHost({
    compositor,
    look: terminalKind({ TERM: "xterm" }).look,
    alternate: true,
    saysEnd: () => false,
    hold: () => undefined,
    loadShadow: () => Promise.withResolvers<void>().promise,
    changed: () => undefined,
  });
  const inner = new InnerRuns({ toAgent, say: () => undefined, killKey: "Ctrl-K" });
  const killKey = parseKey("ctrl-k");
  const onKill = (): void => void happened.push("[kill]");
  const signIn = { needed: () => false, begin: () => undefined };
  const dialogs = new Dialogs({ host: overlay, agent: "claude", killKey, details: () => [], inner, toAgent, onKill, signIn });
  const router = new KeyRouter({
    killKey,
    compositor,
    overlay,
    dialogs,
    questions,
    filter,
    inner,
    voice,
    rows: () => ROWS,
    settleSize: () => void happened.push("[size settled]"),
    toAgent,
    onKill,
  });
  const type = (text: string): void => router.input(Buffer.from(text, "latin1"));
  return { router, type, happened, overlay, questions, inner };
}

describe("the agent gets", () => {
  it.each(["x", "\r", "größer", "\x1b[A", "\x1b[200~pasted \x0b text\x1b[201~", "\x1b[5;7R", "\x1b[<0;3;4M"])("%j as it came", (text) => {
    const { type, happened } = world();
    type(text);
    expect(happened.join("")).toBe(text);
  });

  it("Escape by itself once nothing follows it, and no sooner", () => {
    const { type, happened } = world();
    type("\x1b");
    expect(happened).toEqual([]);
    vi.advanceTimersByTime(10);
    expect(happened).toEqual(["\x1b"]);
  });

  it("a key that comes in parts in one", () => {
    const { type, happened } = world();
    type("\x1b");
    vi.advanceTimersByTime(8);
    type("[");
    vi.advanceTimersByTime(8);
    type("A");
    vi.advanceTimersByTime(1000);
    expect(happened).toEqual(["\x1b[A"]);
  });

  it("no click on the bar, and none of what follows of the same press", () => {
    const { type, happened } = world();
    type(`\x1b[<0;3;${ROWS}M\x1b[<32;3;4M\x1b[<0;3;4m`);
    expect(happened).toEqual([]);
  });

  it("no answer to what we have asked, and each one to what it has asked itself", async () => {
    const { type, happened, questions } = world();
    const cursor = questions.cursor();
    type("\x1b[2;3R\x1b[4;5R");
    expect(await cursor).toEqual({ x: 2, y: 1 });
    expect(happened).toEqual(["\x1b[4;5R"]);
  });

  it("nothing after the end, also of what was waiting", () => {
    const { router, type, happened } = world();
    type("\x1b");
    router.end();
    type("x");
    type("yz");
    vi.advanceTimersByTime(1000);
    expect(happened).toEqual([]);
  });
});

describe("the kill key", () => {
  it("opens the question, over a window whose size is settled, and is not the agent's", () => {
    const { type, happened, overlay } = world();
    type(`a${KILL}`);
    expect(happened).toEqual(["a", "[size settled]"]);
    expect(overlay.isOpen).toBe(true);
  });

  it("has all that is typed after it, before the question can be read too, but no answer that the agent waits for", () => {
    const { type, happened } = world();
    type(KILL);
    happened.length = 0;
    type("a");
    type("rm -rf\r");
    type("\x1b[5;7R");
    expect(happened).toEqual(["\x1b[5;7R"]);
  });
});

describe("the word of an agent-run outside", () => {
  const id = "0123456789abcdef0123456789abcdef";
  const end = `\x1b]7777;inner;${id};end\x07`;

  it("ends the agent as a kill key does that was confirmed there", () => {
    const { type, happened, overlay } = world(new InnerVoice(id));
    type(end);
    expect(happened).toEqual(["[size settled]", "[kill]"]);
    expect(overlay.isOpen).toBe(true);
  });

  it("goes on to one that is inside this one", () => {
    const { type, happened, inner } = world(new InnerVoice(id));
    const other = "f".repeat(32);
    inner.hear(`7777;inner;${other};here`);
    type(end);
    expect(happened).toEqual([`\x1b]7777;inner;${other};end\x07`]);
  });

  it("is the agent's where none is outside", () => {
    const { type, happened } = world();
    type(end);
    expect(happened).toEqual([end]);
  });
});
