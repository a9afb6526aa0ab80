// What STS or anything in its place can answer: what is told of it, and whether it is asked again, held against what the AWS SDK makes of the same bytes.
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { describe, expect, it } from "vitest";
import { explainRefusal } from "../../src/aws/assume-refusal.ts";
import { explainFailure } from "../../src/aws/failure.ts";
import { callSts } from "../../src/aws/sts.ts";
import type { AgentRunError } from "../../src/core/error.ts";
import { type Bytes, ourClient, rawServer, refusal, sdkClient, send } from "./raw-server.ts";

const REQUEST = { RoleArn: "arn:aws:iam::111122223333:role/team/agent", RoleSessionName: "sess_00000001" };
const wish = { roleArn: REQUEST.RoleArn, sessionName: REQUEST.RoleSessionName };

const thrownBy = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => Promise.reject(new Error("it was not refused")),
    (error: unknown) => error,
  );
const said = ({ code, message, hint }: AgentRunError): string[] => [code, message, hint ?? ""];

/** What a human is told of it, from our call and from the SDK's. */
async function told(url: string): Promise<{ ours: string[][]; theirs: string[][] }> {
  const client = await ourClient(url);
  const explained = async (assume: Promise<unknown>, identity: Promise<unknown>): Promise<string[][]> => [
    said(await explainRefusal(await thrownBy(assume), client, wish)),
    said(await explainFailure(await thrownBy(identity), client, "sts:GetCallerIdentity", "base-credentials", "dev")),
  ];
  const sdk = sdkClient(url);
  return {
    ours: await explained(callSts(client, "AssumeRole", REQUEST), callSts(client, "GetCallerIdentity")),
    theirs: await explained(sdk.send(new AssumeRoleCommand(REQUEST)), sdk.send(new GetCallerIdentityCommand({}))),
  };
}

describe("a refusal is told as it was with the SDK", () => {
  const denied =
    "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:TagSession on resource: arn:aws:iam::111122223333:role/agent";
  it.each<[string, Bytes]>([
    ["AccessDenied", [403, refusal("AccessDenied", denied)]],
    ["AccessDenied for MFA", [403, refusal("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.")]],
    ["ExpiredToken", [403, refusal("ExpiredToken", "The security token included in the request is expired")]],
    ["ExpiredTokenException", [400, refusal("ExpiredTokenException", "Token expired: current date/time must be before it")]],
    ["InvalidClientTokenId", [403, refusal("InvalidClientTokenId", "The security token included in the request is invalid.")]],
    [
      "SignatureDoesNotMatch",
      [
        403,
        refusal(
          "SignatureDoesNotMatch",
          "Signature expired: 20261122T093300Z is now earlier than 20261122T101500Z (20261122T102000Z - 5 min.)",
        ),
      ],
    ],
    ["RegionDisabledException", [403, refusal("RegionDisabledException", "STS is not activated in this region")]],
    ["MalformedPolicyDocument", [400, refusal("MalformedPolicyDocument", "Syntax errors in policy.")]],
    ["PackedPolicyTooLarge", [400, refusal("PackedPolicyTooLarge", "Packed policy consumes 130% of allotted space.")]],
    ["IDPCommunicationError", [400, refusal("IDPCommunicationError", "Could not reach the provider")]],
    ["IDPRejectedClaim", [403, refusal("IDPRejectedClaim", "Not this one")]],
    ["InvalidIdentityToken", [400, refusal("InvalidIdentityToken", "No OpenIDConnect provider found")]],
    [
      "ValidationError",
      [
        400,
        refusal("ValidationError", "1 validation error detected: Value '99999' at 'durationSeconds' failed to satisfy DurationSeconds"),
      ],
    ],
    ["a code that nobody knows", [418, refusal("Teapot", "I am a teapot")]],
    ["a code with a namespace", [400, refusal("com.amazonaws.sts#Teapot", "I am a teapot")]],
    ["Throttling", [400, refusal("Throttling", "Rate exceeded")]],
    ["429", [429, refusal("SlowDown", "Rate exceeded")]],
    ["InternalFailure", [500, refusal("InternalFailure", "An internal error")]],
    ["ServiceUnavailable", [503, refusal("ServiceUnavailable", "Later")]],
    ["501", [501, refusal("NotImplemented", "Never")]],
    ["entities", [400, refusal("Teapot", "&lt;a&gt; &amp;amp; &quot;b&quot; &apos;c&apos; &#228; &#xE4;")]],
    ["a character reference that ends a line", [400, refusal("Teapot", "one&#10;two&#xD;three")]],
    ["CDATA", [400, refusal("Teapot", "<![CDATA[<b> & ]] >]]> and more")]],
    [
      "comments",
      [400, `<!-- before --><?xml version="1.0"?><!-- x -->${refusal("Teapot", "one<!-- <Code>Other</Code> -->two")}<!-- after -->`],
    ],
    ["a declaration", [400, `<?xml version="1.0" encoding="UTF-8"?>\r\n${refusal("Teapot", "a\r\nb")}`]],
    ["letters of all kinds", [400, refusal("Teapot", "übergröße 漢字 🙂 \u202eabc")]],
    ["unknown elements", [400, refusal("Teapot", "no").replace("<Type>", "<New a='1'><Code>Other</Code></New><Empty/><Type>")]],
    ["a key in its text", [400, refusal("Teapot", `the key is ${"k".repeat(40)}`)]],
    ["an empty message", [400, refusal("Teapot", "")]],
    ["no message", [400, "<ErrorResponse><Error><Code>Teapot</Code></Error></ErrorResponse>"]],
    ["a message in lower case", [400, "<ErrorResponse><Error><Code>Teapot</Code><message>low</message></Error></ErrorResponse>"]],
    ["EC2's form", [403, "<Response><Errors><Error><Code>AuthFailure</Code><Message>no</Message></Error></Errors></Response>"]],
    ["no code", [403, "<ErrorResponse><Error><Message>because</Message></Error></ErrorResponse>"]],
    ["a wrong content type", [403, refusal("AccessDenied", denied), { "content-type": "text/html" }]],
    ["no content type", [403, refusal("AccessDenied", denied), {}]],
    ["well-formed HTML", [403, "<html><body>Please log in</body></html>"]],
    ["no body, 400", [400, ""]],
    ["no body, 403", [403, ""]],
    ["no body, 404", [404, ""]],
    ["no body, 503", [503, ""]],
    ["a redirect", [302, "", { location: "http://127.0.0.1:9/login" }]],
    ["a redirect for good", [301, refusal("PermanentRedirect", "elsewhere"), { location: "http://127.0.0.1:9/" }]],
  ])("%s", async (_name, bytes) => {
    await using server = await rawServer((response) => send(response, bytes));
    const { ours, theirs } = await told(server.url);
    expect(ours).toEqual(theirs);
    expect(server.heard).toHaveLength(4);
  });
});
