// Our reading of a human's AWS files held against AWS's own SDK for JavaScript: the same files must give the same key.
import { fromIni } from "@aws-sdk/credential-provider-ini";
import { describe, expect, it } from "vitest";
import { assumedResult, queryServer } from "../aws/query-server.ts";
import { human, keyId, keyPair } from "./human.ts";

const role = (name: string): string => `arn:aws:iam::111122223333:role/${name}`;
const printed = (id: string): string => `printf '{"Version":1,"AccessKeyId":"${id}","SecretAccessKey":"s"}'`;

const config = `
# a comment
; another
[default]
region = eu-west-1   # inline
[profile static]
${keyPair(keyId("configStatic"))}
[profile both]
${keyPair(keyId("configBoth"))}
[profile "quoted name"]
${keyPair(keyId("quoted"))}
[profile   spaced  ]
aws_access_key_id=${keyId("spaced")}
aws_secret_access_key  =  secret=with=equals ; comment
[notaprofile]
${keyPair(keyId("wrong"))}
[profile nested]
s3 =
  addressing_style = path
  aws_access_key_id = ${keyId("nestedWrong")}
${keyPair(keyId("nested"))}
[profile process]
credential_process = ${printed(keyId("process"))}
[profile keys-and-process]
credential_process = ${printed(keyId("wrong2"))}
${keyPair(keyId("keysFirst"))}
[profile role]
role_arn = ${role("role")}
source_profile = static
[profile role-and-keys]
role_arn = ${role("roleFirst")}
source_profile = static
${keyPair(keyId("wrong3"))}
[profile own-source]
role_arn = ${role("own")}
source_profile = own-source
${keyPair(keyId("own"))}
[profile chain]
role_arn = ${role("chain")}
source_profile = role
[profile chain-to-keys]
role_arn = ${role("chainToKeys")}
source_profile = role-and-keys
[profile from-process]
role_arn = ${role("fromProcess")}
source_profile = process
[profile circle]
role_arn = ${role("circle")}
source_profile = circle2
[profile circle2]
role_arn = ${role("circle2")}
source_profile = circle
[profile nothing]
region = eu-west-1
[profile role-without-source]
role_arn = ${role("x")}
[profile twice]
aws_access_key_id = ${keyId("first")}
aws_secret_access_key = s
[profile twice]
aws_access_key_id = ${keyId("second")}
`;
const credentials = `
[both]
${keyPair(keyId("credentialsBoth"))}
[credentials-only]
${keyPair(keyId("credentialsOnly"))}
[default]
${keyPair(keyId("default"))}
`;

const profiles = [...config.matchAll(/\[profile\s+"?(.+?)"?\s*\]/g)].map((match) => match[1] ?? "");

describe("the same files", () => {
  it("give the same key, or none, as AWS's SDK for JavaScript finds in them", async () => {
    await using sts = await queryServer(({ form, accessKeyId }) => {
      const name = /role\/(.*)$/.exec(form.get("RoleArn") ?? "")?.[1] ?? "";
      return assumedResult(new Date(Date.now() + 3_600_000), `ASIA${name}0BY0${accessKeyId ?? ""}`.replace(/[^\w]/g, ""));
    });
    using ann = human({ ".aws/config": config, ".aws/credentials": credentials });
    // Names in quotes or with more space before them are as botocore reads them; AWS's SDK for JavaScript does not find those profiles.
    for (const name of ["quoted name", "spaced"]) expect((await ann.find({ awsProfile: name })).credentials.accessKeyId).toMatch(/^AKIA/);
    const asked = ["default", "credentials-only", "notaprofile", "missing", ...new Set(profiles)].filter(
      (name) => !["quoted name", "spaced"].includes(name),
    );
    const ours = await Promise.all(
      asked.map((awsProfile) =>
        ann.find({ awsProfile, endpointUrl: sts.url }).then(
          (base) => base.credentials.accessKeyId,
          () => "none",
        ),
      ),
    );
    const theirs: string[] = [];
    for (const profile of asked) {
      const provider = fromIni({
        profile,
        filepath: `${ann.home}/.aws/credentials`,
        configFilepath: `${ann.home}/.aws/config`,
        ignoreCache: true,
        clientConfig: { region: "eu-west-1", endpoint: sts.url },
      });
      theirs.push(
        await provider().then(
          (found) => found.accessKeyId,
          () => "none",
        ),
      );
    }
    expect(Object.fromEntries(asked.map((name, index) => [name, ours[index]]))).toEqual(
      Object.fromEntries(asked.map((name, index) => [name, theirs[index]])),
    );
    expect(ours.filter((key) => key !== "none").length).toBeGreaterThan(12);
  });
});
