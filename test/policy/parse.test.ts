// The strict reader: what it accepts, and that everything else is refused with its place.
import { describe, expect, it } from "vitest";
import { AgentRunError } from "../../src/core/error.ts";
import { parsePolicy, parsePolicyValue } from "../../src/policy/parse.ts";

const RESOURCE = { kind: "resource" } as const;

function refusal(run: () => unknown): AgentRunError {
  try {
    run();
  } catch (error) {
    if (error instanceof AgentRunError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

const statement = (body: string): string => `{"Version": "2012-10-17",\n "Statement": [\n  {${body}}\n ]}`;
const base = `"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"`;

describe("parsePolicy", () => {
  it("makes lists of single values and takes conditions apart", () => {
    const document = parsePolicy(
      `{"Version": "2012-10-17", "Statement": {"Sid": "Read1", "Effect": "Allow", "NotAction": "s3:*", "NotResource": ["arn:aws:s3:::b/*"],
        "Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*", "b"]}, "numericlessthan": {"s3:max-keys": 10}}}}`,
      "p.json",
    );
    expect(document).toEqual({
      source: "p.json",
      version: "2012-10-17",
      statements: [
        {
          index: 0,
          sid: "Read1",
          effect: "Allow",
          notAction: ["s3:*"],
          notResource: ["arn:aws:s3:::b/*"],
          conditions: [
            { operator: "StringLike", ifExists: true, set: "ForAnyValue", key: "aws:TagKeys", values: ["a*", "b"] },
            { operator: "NumericLessThan", ifExists: false, set: undefined, key: "s3:max-keys", values: ["10"] },
          ],
        },
      ],
    });
  });

  it("takes an absent Version as 2008-10-17, which has no variables", () => {
    const document = parsePolicy(`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::b/\${aws:x"}}`, "p.json");
    expect(document.version).toBe("2008-10-17");
  });

  it("reads every escape of JSON", () => {
    const text = statement(
      `"Sid": "\\u0041b", ${base}, "Condition": {"StringEquals": {"aws:x": "\\"\\\\\\/\\b\\f\\n\\r\\t\\ud83d\\ude00"}}`,
    );
    const [first] = parsePolicy(text, "p.json").statements;
    expect(first?.sid).toBe("Ab");
    expect(first?.conditions[0]?.values).toEqual(['"\\/\b\f\n\r\t😀']);
  });

  it("keeps numbers as they are spelt", () => {
    const text = statement(`${base}, "Condition": {"NumericEquals": {"aws:x": 12345678901234567890.10}}`);
    expect(parsePolicy(text, "p.json").statements[0]?.conditions[0]?.values).toEqual(["12345678901234567890.10"]);
  });

  it.each<[title: string, text: string, place: string, says: RegExp]>([
    ["nothing", "", "p.json:1:1: ", /end of the text/],
    ["no object", "[]", "p.json:1:1: ", /not a list/],
    ["trailing text", `${statement(base)}\nx`, "p.json:5:1: ", /expected the end/],
    ["a trailing comma", statement(`${base},`), "p.json:3:", /quotation marks/],
    ["a comment", `// no\n${statement(base)}`, "p.json:1:1: ", /expected a value/],
    ["a byte order mark", `\ufeff${statement(base)}`, "p.json:1:1: ", /U\+FEFF/],
    ["an unclosed string", `{"Version": "2012`, "p.json:1:13: Version: ", /closing quotation mark/],
    ["a bad escape", `{"Version": "\\x"}`, "p.json:1:14: Version: ", /no|not an escape/],
    ["half an escape", `{"Version": "\\u12"}`, "p.json:1:14: Version: ", /four hex digits/],
    ["a raw line feed in a string", `{"Version": "a\nb"}`, "p.json:1:15: Version: ", /control character/],
    ["a leading zero", `{"Version": 01}`, "p.json:1:14: Version: ", /expected ','/],
    ["nesting without end", "[".repeat(100_000), "p.json:1:34: [0][0]", /deeper than/],
    ["a key that stands twice", statement(`"Effect": "Allow", "Effect": "Deny"`), "p.json:3:23: Statement[0].Effect: ", /twice/],
    ["an unknown element", `{"Version": "2012-10-17", "Statment": []}`, "p.json:1:39: Statment: ", /no element of a policy/],
    ["an unknown element of a statement", statement(`${base}, "Actions": []`), "p.json:3:77: Statement[0].Actions: ", /no element/],
    ["an element in the wrong case", statement(`"effect": "Allow"`), "p.json:3:14: Statement[0].effect: ", /no element/],
    ["another version", `{"Version": "2012-10-18", "Statement": []}`, "p.json:1:13: Version: ", /no version/],
    ["no statement", `{"Version": "2012-10-17"}`, "p.json:1:1: ", /has no Statement/],
    ["an empty list of statements", `{"Version": "2012-10-17", "Statement": []}`, "p.json:1:40: Statement: ", /empty/],
    ["an empty statement", statement(""), "p.json:3:3: Statement[0]: ", /neither Action nor NotAction/],
    ["a statement that is a string", `{"Statement": ["x"]}`, "p.json:1:16: Statement[0]: ", /not a string/],
    ["no effect", statement(`"Action": "*", "Resource": "*"`), "p.json:3:3: Statement[0]: ", /no Effect/],
    [
      "an effect in lower case",
      statement(`"Effect": "allow", "Action": "*", "Resource": "*"`),
      "p.json:3:14: Statement[0].Effect: ",
      /'allow'/,
    ],
    ["no action", statement(`"Effect": "Allow", "Resource": "*"`), "p.json:3:3: Statement[0]: ", /neither Action/],
    ["both actions", statement(`${base}, "NotAction": "s3:*"`), "p.json:3:79: Statement[0]: ", /both Action and NotAction/],
    ["both resources", statement(`${base}, "NotResource": "*"`), "p.json:3:81: Statement[0]: ", /both Resource and NotResource/],
    ["no resource", statement(`"Effect": "Allow", "Action": "*"`), "p.json:3:3: Statement[0]: ", /neither Resource/],
    ["no list of actions", statement(`"Effect": "Allow", "Action": [], "Resource": "*"`), "p.json:3:33: Statement[0].Action: ", /empty/],
    [
      "an action without its service",
      statement(`"Effect": "Allow", "Action": ["a:b", "s3GetObject"], "Resource": "*"`),
      "p.json:3:41: Statement[0].Action[1]: ",
      /s3GetObject/,
    ],
    [
      "an action with a variable",
      statement(`"Effect": "Allow", "Action": "s3:\${aws:x}", "Resource": "*"`),
      "p.json:3:33: Statement[0].Action: ",
      /variables/,
    ],
    [
      "an action that is a number",
      statement(`"Effect": "Allow", "Action": 7, "Resource": "*"`),
      "p.json:3:33: Statement[0].Action: ",
      /not a number/,
    ],
    [
      "a resource that is no ARN",
      statement(`"Effect": "Allow", "Action": "*", "Resource": "bucket"`),
      "p.json:3:50: Statement[0].Resource: ",
      /no resource/,
    ],
    ["half an ARN", statement(`"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3"`), "p.json:3:50: ", /six parts/],
    [
      "a variable in the account of an ARN",
      statement(`"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3::\${aws:x}:y"`),
      "p.json:3:50: ",
      /fifth colon/,
    ],
    [
      "an unclosed variable",
      statement(`"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::\${aws:x"`),
      "p.json:3:50: ",
      /closing brace/,
    ],
    ["an empty variable", statement(`"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::\${}"`), "p.json:3:50: ", /names no key/],
    [
      "a variable without a service",
      statement(`"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::\${name}"`),
      "p.json:3:50: ",
      /service:name/,
    ],
    [
      "a space in a variable",
      statement(`"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::\${aws: x}"`),
      "p.json:3:50: ",
      /space/,
    ],
    [
      "a default without quotes",
      statement(`"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::\${aws:x, y}"`),
      "p.json:3:50: ",
      /single quotes/,
    ],
    ["a principal in an identity policy", statement(`${base}, "Principal": "*"`), "p.json:3:79: Statement[0].Principal: ", /not allowed/],
    ["a Sid with a space", statement(`"Sid": "a b", ${base}`), "p.json:3:11: Statement[0].Sid: ", /letters and digits/],
    [
      "a Sid that stands twice",
      `{"Statement": [{"Sid": "a", ${base}}, {"Sid": "a", ${base}}]}`,
      "p.json:1:100: Statement[1].Sid: ",
      /earlier statement/,
    ],
    ["a condition that is a list", statement(`${base}, "Condition": []`), "p.json:3:79: Statement[0].Condition: ", /not a list/],
    [
      "an unknown operator",
      statement(`${base}, "Condition": {"StringIs": {}}`),
      "p.json:3:92: Statement[0].Condition.StringIs: ",
      /no condition operator/,
    ],
    ["an unknown qualifier", statement(`${base}, "Condition": {"ForSome:StringLike": {}}`), "p.json:3:", /no condition operator/],
    ["Null with IfExists", statement(`${base}, "Condition": {"NullIfExists": {"aws:x": "true"}}`), "p.json:3:", /Null asks/],
    ["an operator in two spellings", statement(`${base}, "Condition": {"Bool": {}, "bool": {}}`), "p.json:3:", /different case/],
    [
      "a key in two spellings",
      statement(`${base}, "Condition": {"Bool": {"aws:x": "true", "AWS:x": "true"}}`),
      "p.json:3:",
      /different case/,
    ],
    [
      "a key without its service",
      statement(`${base}, "Condition": {"Bool": {"x": "true"}}`),
      "p.json:3:94: Statement[0].Condition.Bool.x: ",
      /service:name/,
    ],
    ["no values", statement(`${base}, "Condition": {"StringEquals": {"aws:x": []}}`), "p.json:3:", /no value/],
    ["a null value", statement(`${base}, "Condition": {"StringEquals": {"aws:x": [null]}}`), "p.json:3:", /not null/],
    ["a number that is none", statement(`${base}, "Condition": {"NumericEquals": {"aws:x": "ten"}}`), "p.json:3:", /decimal number/],
    ["a date that is none", statement(`${base}, "Condition": {"DateLessThan": {"aws:x": "2027-02-30"}}`), "p.json:3:", /a date/],
    ["a date that is a year or a second", statement(`${base}, "Condition": {"DateLessThan": {"aws:x": "2027"}}`), "p.json:3:", /a date/],
    ["a time without a zone", statement(`${base}, "Condition": {"DateLessThan": {"aws:x": "2027-01-31T08:00:00"}}`), "p.json:3:", /a date/],
    ["a Boolean that is none", statement(`${base}, "Condition": {"Bool": {"aws:x": "yes"}}`), "p.json:3:", /true or false/],
    ["an address that is none", statement(`${base}, "Condition": {"IpAddress": {"aws:x": "203.0.113.0/33"}}`), "p.json:3:", /CIDR/],
    ["an octal address", statement(`${base}, "Condition": {"IpAddress": {"aws:x": "010.0.0.1"}}`), "p.json:3:", /CIDR/],
    ["a short IPv6 address", statement(`${base}, "Condition": {"IpAddress": {"aws:x": "1:2:3"}}`), "p.json:3:", /CIDR/],
    ["two gaps in an IPv6 address", statement(`${base}, "Condition": {"IpAddress": {"aws:x": "1::2::3"}}`), "p.json:3:", /CIDR/],
    ["text that is no base64", statement(`${base}, "Condition": {"BinaryEquals": {"aws:x": "a*b"}}`), "p.json:3:", /base64/],
    [
      "a variable in a typed value",
      statement(`${base}, "Condition": {"NumericEquals": {"aws:x": "\${aws:y}"}}`),
      "p.json:3:",
      /takes no policy variables/,
    ],
  ])("refuses %s, with its place", (_title, text, place, says) => {
    const error = refusal(() => parsePolicy(text, "p.json"));
    expect(error.code).toBe("policy");
    expect(error.message).toMatch(says);
    expect(error.message.startsWith(place), error.message).toBe(true);
  });
});

describe("resource and trust policies", () => {
  const one = (principal: string): string => `{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", ${principal}}}`;

  it("name principals and may leave the resource out", () => {
    const document = parsePolicy(one(`"Principal": {"AWS": "111122223333", "Service": ["ec2.amazonaws.com"]}`), "trust.json", RESOURCE);
    expect(document.statements[0]?.principal).toEqual({ AWS: ["111122223333"], Service: ["ec2.amazonaws.com"] });
    expect(document.statements[0]?.resource).toBeUndefined();
  });

  it("may use Sids with spaces and resources in the short forms of some services", () => {
    const text = one(`"Principal": "*", "Sid": "let in", "Resource": "execute-api:/stage/*"`);
    expect(parsePolicy(text, "p.json", RESOURCE).statements[0]?.sid).toBe("let in");
  });

  it.each<[string, string, RegExp]>([
    ["no principal", `"Resource": "*"`, /neither Principal nor NotPrincipal/],
    ["both kinds of principal", `"Principal": "*", "NotPrincipal": "*"`, /both Principal/],
    ["a name where a map belongs", `"Principal": "111122223333"`, /must be "\*"/],
    ["an unknown type", `"Principal": {"IAM": "x"}`, /no type of principal/],
    ["an empty map", `"Principal": {}`, /empty/],
    ["an empty list", `"Principal": {"AWS": []}`, /empty/],
    ["part of a name", `"Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/r/*"}`, /named in full/],
    ["a word", `"Principal": {"AWS": "jordan"}`, /no account, ARN or unique id/],
    ["an account of eleven digits", `"Principal": {"AWS": "arn:aws:iam::11112222333:root"}`, /no account/],
  ])("are refused with %s", (_title, principal, says) => {
    const error = refusal(() => parsePolicy(one(principal), "trust.json", RESOURCE));
    expect(error.code).toBe("policy");
    expect(error.message).toMatch(says);
    expect(error.message).toMatch(/^trust\.json:1:\d+: /);
  });
});

describe("parsePolicyValue", () => {
  it("reads a value like its text", () => {
    const value = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Deny", Action: ["s3:*"], Resource: "*", Condition: { Bool: { "aws:x": true } } }],
    };
    expect(parsePolicyValue(value, "v")).toEqual(parsePolicy(JSON.stringify(value), "v"));
  });

  it("names source and path where there is no text", () => {
    expect(refusal(() => parsePolicyValue({ Statement: [{ Effect: "Deny", Action: "x", Resource: "*" }] }, "arn:p")).message).toMatch(
      /^arn:p: Statement\[0\]\.Action: /,
    );
  });

  it.each([[undefined], [() => 1], [1n], [Number.NaN], [Symbol("x")]])("refuses %s", (value) => {
    expect(refusal(() => parsePolicyValue({ Statement: value }, "v")).code).toBe("policy");
  });

  it("refuses a value that holds itself", () => {
    const loop: Record<string, unknown> = {};
    loop["Statement"] = loop;
    expect(refusal(() => parsePolicyValue(loop, "v")).message).toMatch(/deeper than/);
  });
});
