// `agent-run check`: the go-live checklist, six questions with evidence for each.
import { oneLine } from "../core/printable.ts";
import { type Answer, checklist, score } from "../policy/checklist.ts";
import { checkFacts } from "./check-facts.ts";
import { atMost, type Command, textValue } from "./command.ts";

const MARKS: Readonly<Record<Answer, readonly ["green" | "red" | "yellow", string]>> = {
  yes: ["green", "✓"],
  no: ["red", "✗"],
  unknown: ["yellow", "?"],
};

export const check: Command = {
  name: "check",
  outside: true,
  usage: "check [-p <profile>] [--role <arn>] [--offline] [--json]",
  summary: "the go-live checklist: a score out of six, with evidence",
  description:
    "A role of its own, nothing wholesale, resources named, no long-lived credentials in reach, audit on, review scheduled. AWS is asked where " +
    "your own credentials may; what it does not tell counts for nothing. Exits with 1 when an answer is no.",
  options: [
    { name: "profile", short: "p", value: "<name>", help: "the profile to look at (default: yours)" },
    { name: "role", value: "<arn>", help: "the role, where the profile names none" },
    { name: "aws-profile", value: "<name>", help: "the AWS profile to ask with" },
    { name: "offline", help: "ask nobody" },
    { name: "json", help: "as JSON" },
  ],
  examples: [
    ["agent-run check -p deploy", "is this fit to go live?"],
    ["agent-run check --offline --json", "what can be told without AWS"],
  ],
  async run(values, words, context) {
    atMost(words, 0, "check");
    const { profile, facts } = await checkFacts(
      {
        profile: textValue(values, "profile"),
        role: textValue(values, "role"),
        awsProfile: textValue(values, "aws-profile"),
        offline: values["offline"] === true,
      },
      context,
    );
    const items = checklist(facts);
    const { print } = context;
    for (const note of profile.notes) print.warn(oneLine(note));
    if (values["json"] === true) print.json({ profile: profile.name, role: profile.role, score: score(items), of: items.length, items });
    else {
      for (const { question, answer, evidence, fix } of items) {
        const [style, mark] = MARKS[answer];
        print.text(`${print.paint(style, mark)} ${question}`);
        for (const text of evidence) print.text(oneLine(`    ${text}`));
        if (fix !== undefined) print.text(oneLine(`    fix: ${fix}`));
      }
      print.out(print.paint("bold", `${profile.name}: ${score(items)} of ${items.length}`));
    }
    return items.some(({ answer }) => answer === "no") ? 1 : 0;
  },
};
