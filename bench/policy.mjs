// How many decisions a second the policy evaluator makes on one core: a 50-statement policy, and the shipped session policy; and how long the session
// policies of the shipped profiles take to compile. Run by hand.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compileSession, readNarrowing } from "../src/policy/compile-session.ts";
import { evaluate } from "../src/policy/evaluate.ts";
import { parsePolicy, parsePolicyValue } from "../src/policy/parse.ts";

const services = ["s3", "ec2", "rds", "logs", "lambda", "iam", "sqs", "sns", "ecs", "eks"];
const statements = Array.from({ length: 50 }, (_, index) => {
  const service = services[index % services.length];
  return {
    Sid: `S${index}`,
    Effect: index % 5 === 4 ? "Deny" : "Allow",
    Action: [`${service}:Get*`, `${service}:List${index}*`, `${service}:*Tag${index}?`, `${service}:Put${index}`],
    Resource: [`arn:aws:${service}:*:123456789012:thing/${index}/*`, `arn:aws:${service}:::\${aws:PrincipalTag/project}-${index}/*`],
    Condition: {
      StringLike: { "aws:PrincipalTag/project": ["backend*", "front*"] },
      IpAddress: { "aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"] },
    },
  };
});
const fifty = parsePolicyValue({ Version: "2012-10-17", Statement: statements }, "fifty statements");
const file = join(import.meta.dirname, "../profiles/readonly/session-policy.json");
const readonly = parsePolicy(readFileSync(file, "utf8"), "readonly");
const admin = parsePolicyValue({ Version: "2012-10-17", Statement: { Effect: "Allow", Action: "*", Resource: "*" } }, "admin");

const context = { "aws:PrincipalTag/project": "backend-api", "aws:SourceIp": "10.1.2.3", "aws:RequestedRegion": "eu-west-1" };
const requests = Array.from({ length: 64 }, (_, index) => ({
  principal: "arn:aws:sts::123456789012:assumed-role/agent/sess_a8f3b21c",
  action: `${services[index % services.length]}:${["GetObject", "ListThings", "PutThing", "DeleteBucket"][index % 4]}`,
  resource: `arn:aws:${services[index % services.length]}:eu-west-1:123456789012:thing/${index}/x`,
  context,
}));

function measure(name, policies) {
  const run = (times) => {
    let allowed = 0;
    for (let index = 0; index < times; index += 1) {
      if (evaluate(requests[index % requests.length], policies).outcome === "allowed") allowed += 1;
    }
    return allowed;
  };
  run(50_000);
  const times = 400_000;
  const start = process.hrtime.bigint();
  run(times);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  process.stdout.write(`${name}: ${Math.round(times / seconds).toLocaleString("en-US")} decisions/s\n`);
}

measure("50 statements with conditions and variables", { identity: [fifty] });
measure("readonly session policy over an administrator", { identity: [admin], session: [readonly] });

const shipped = join(import.meta.dirname, "../profiles");
const sourceOf = (profile, name) => ({ label: name, document: parsePolicy(readFileSync(join(shipped, profile, name), "utf8"), name) });

/** Parsed and compiled anew each time, as at the first launch of a daemon. */
function compileTimes(name, sources) {
  const once = () => {
    const start = process.hrtime.bigint();
    compileSession({ sources: sources(), reserve: 110 });
    return Number(process.hrtime.bigint() - start) / 1e6;
  };
  const first = once();
  const times = Array.from({ length: 200 }, once).sort((one, other) => one - other);
  process.stdout.write(
    `${name}: ${first.toFixed(1)} ms the first time, then ${times[100].toFixed(2)} ms (p99 ${times[198].toFixed(2)} ms)\n`,
  );
}

const both = (profile) => [sourceOf(profile, "session-policy.json"), sourceOf(profile, "deny-always.json")];
compileTimes("compile deploy", () => both("deploy"));
compileTimes("compile readonly narrowed to one prefix", () => [
  ...both("readonly"),
  readNarrowing(["s3:GetObject=arn:aws:s3:::builds/*"], "Allow", "--allow"),
]);
compileTimes("compile developer within readonly", () => [...both("developer"), ...both("readonly")]);
