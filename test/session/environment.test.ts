// The child's environment: the whole result for a developer's environment, and that no AWS credential variable ever gets through.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { childEnvironment } from "../../src/session/environment.ts";

const HUMAN = {
  PATH: "/usr/bin:/bin",
  HOME: "/home/dev",
  TERM: "xterm-256color",
  TMUX: "/tmp/tmux-1000/default,1,0",
  LC_ALL: "C.UTF-8",
  EDITOR: "vim",
  HTTPS_PROXY: "http://proxy:3128",
  AWS_REGION: "eu-central-1",
  AWS_PAGER: "",
  AWS_CA_BUNDLE: "/etc/corp.pem",
  AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
  AWS_SECRET_ACCESS_KEY: "x",
  AWS_SESSION_TOKEN: "x",
  AWS_PROFILE: "admin",
  AWS_CONFIG_FILE: "/home/dev/.aws/config",
  AWS_BEARER_TOKEN_BEDROCK: "x",
  AWS_ENDPOINT_URL_S3: "http://x",
  AWS_CONTAINER_CREDENTIALS_FULL_URI: "http://127.0.0.1:1",
  aws_session_token: "x",
  RCLONE_CONFIG_X_SECRET: "x",
  AGENT_RUN_HOME: "/tmp/x",
  NOTES: "the key is AKIAIOSFODNN7EXAMPLE, keep it",
  GOOGLE_APPLICATION_CREDENTIALS: "/k.json",
  GOOGLE_API_KEY: "x",
  AZURE_CLIENT_SECRET: "x",
  KUBECONFIG: "/k",
  DOCKER_HOST: "unix:///run/docker.sock",
  VAULT_ADDR: "https://v",
  GH_TOKEN: "x",
  SSH_AUTH_SOCK: "/tmp/ssh/agent",
  SSH_TTY: "/dev/pts/1",
  DIRENV_DIFF: "eJyrVspIzcnJVyjPL8pJUaoFAC0eBfg=",
  DIRENV_DIR: "-/home/dev/project",
  __MISE_DIFF: "eAFrXpyfk9KwOC+1fGVJYlFxYnJmXnpi0QoAaxsI7w==",
  NPM_TOKEN: "x",
  npm_config__authToken: "x",
  npm_config_registry: "https://r",
  PIP_INDEX_URL: "https://u:p@pypi",
  DATABASE_URL: "postgres://u:p@h/d",
  DISPLAY: ":0",
  WAYLAND_DISPLAY: "wayland-0",
  DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/user/1000/bus",
  XDG_RUNTIME_DIR: "/run/user/1000",
  VSCODE_IPC_HOOK_CLI: "/tmp/v.sock",
  MY_APP_SECRET: "x",
  STAGING_PASSWORD: "x",
  SERVICE_API_KEY: "x",
  TOKENIZERS_PARALLELISM: "false",
  MAX_THINKING_TOKENS: "1000",
  ANTHROPIC_API_KEY: "x",
  CLAUDE_CODE_OAUTH_TOKEN: "x",
  OPENAI_API_KEY: "x",
  AZURE_OPENAI_API_KEY: "x",
  NODE_OPTIONS: "--max-old-space-size=4096",
  LD_PRELOAD: "/lib/x.so",
  PYTHONPATH: "/p",
  UNSET: undefined,
};

describe("the child's environment", () => {
  it("is this, as a whole, for a developer's environment", () => {
    const { env, changes } = childEnvironment({
      human: HUMAN,
      set: { AWS_CONFIG_FILE: "/s/aws-config", AWS_REGION: "us-east-1", AWS_CONTAINER_AUTHORIZATION_TOKEN: "t", AGENT_RUN: "1" },
      pass: ["DATABASE_URL", "AWS_SECRET_ACCESS_KEY"],
      allow: ["ssh", "npm"],
    });
    expect(env).toEqual({
      PATH: "/usr/bin:/bin",
      HOME: "/home/dev",
      TERM: "xterm-256color",
      TMUX: "/tmp/tmux-1000/default,1,0",
      LC_ALL: "C.UTF-8",
      EDITOR: "vim",
      HTTPS_PROXY: "http://proxy:3128",
      AWS_PAGER: "",
      AWS_CA_BUNDLE: "/etc/corp.pem",
      GOOGLE_API_KEY: "x",
      SSH_AUTH_SOCK: "/tmp/ssh/agent",
      SSH_TTY: "/dev/pts/1",
      DIRENV_DIR: "-/home/dev/project",
      NPM_TOKEN: "x",
      npm_config__authToken: "x",
      npm_config_registry: "https://r",
      DATABASE_URL: "postgres://u:p@h/d",
      XDG_RUNTIME_DIR: "/run/user/1000",
      TOKENIZERS_PARALLELISM: "false",
      MAX_THINKING_TOKENS: "1000",
      ANTHROPIC_API_KEY: "x",
      CLAUDE_CODE_OAUTH_TOKEN: "x",
      OPENAI_API_KEY: "x",
      AZURE_OPENAI_API_KEY: "x",
      NODE_OPTIONS: "--max-old-space-size=4096",
      LD_PRELOAD: "/lib/x.so",
      PYTHONPATH: "/p",
      AWS_CONFIG_FILE: "/s/aws-config",
      AWS_REGION: "us-east-1",
      AWS_CONTAINER_AUTHORIZATION_TOKEN: "t",
      AGENT_RUN: "1",
    });
    const by = (action: string): string[] => changes.filter((change) => change.action === action).map((change) => change.name);
    expect(by("set")).toEqual(["AGENT_RUN", "AWS_CONFIG_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_REGION"]);
    expect(by("removed")).toEqual(
      Object.keys(HUMAN)
        .filter((name) => name !== "UNSET" && !Object.hasOwn(env, name))
        .sort(),
    );
    expect(changes.every((change) => change.reason !== "")).toBe(true);
  });

  it("keeps what chooses among AWS's own endpoints, unless the session is sent elsewhere", () => {
    const human = { AWS_USE_FIPS_ENDPOINT: "true", AWS_USE_DUALSTACK_ENDPOINT: "true", AWS_STS_REGIONAL_ENDPOINTS: "regional" };
    expect(childEnvironment({ human, set: {}, pass: [], allow: [] }).env).toEqual(human);
    const set = { AWS_ENDPOINT_URL: "http://127.0.0.1:1" };
    const elsewhere = childEnvironment({ human, set, pass: ["AWS_USE_FIPS_ENDPOINT"], allow: [] });
    expect(elsewhere.env).toEqual(set);
    expect(elsewhere.changes.filter(({ action }) => action === "removed").map(({ name }) => name)).toEqual(Object.keys(human).sort());
  });

  it("gives a reason for each change, and never a value", () => {
    const { changes } = childEnvironment({
      human: { GH_TOKEN: "v4lue", MY_SECRET: "v4lue", NODE_OPTIONS: "v4lue" },
      set: { A: "v4lue", AWS_REGION: "v4lue" },
      pass: [],
      allow: [],
    });
    expect(changes).toEqual([
      { name: "A", action: "set", reason: "for this session" },
      { name: "AWS_REGION", action: "set", reason: "the session's region" },
      { name: "GH_TOKEN", action: "removed", reason: "tokens of source hosts and build servers" },
      { name: "MY_SECRET", action: "removed", reason: "its name looks like a secret's; give it back with environment.pass" },
      { name: "NODE_OPTIONS", action: "kept", reason: "belongs to your tools, holds no credential; agent-run itself does not use it" },
    ]);
  });

  it.each([
    ["ssh", "SSH_AUTH_SOCK"],
    ["git-credentials", "GITHUB_TOKEN"],
    ["docker", "DOCKER_HOST"],
    ["kube", "KUBECONFIG"],
    ["npm", "NODE_AUTH_TOKEN"],
    ["gcloud", "GOOGLE_APPLICATION_CREDENTIALS"],
    ["azure", "AZURE_CLIENT_SECRET"],
  ])("keeps what goes with isolation.allow = %s, and only then", (allow, name) => {
    const given = (names: string[]): string[] =>
      Object.keys(childEnvironment({ human: { [name]: "v" }, set: {}, pass: [], allow: names }).env);
    expect(given([allow])).toEqual([name]);
    expect(given([])).toEqual([]);
  });

  it("keeps a variable with a name like __proto__ as a variable", () => {
    const human = JSON.parse('{"__proto__": "x", "constructor": "y"}') as Record<string, string>;
    expect(Object.entries(childEnvironment({ human, set: {}, pass: [], allow: [] }).env)).toEqual([
      ["__proto__", "x"],
      ["constructor", "y"],
    ]);
  });

  it("lets no AWS credential variable of the human through, whatever is passed or allowed", () => {
    const names = fc.constantFrom(
      ...[
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_PROFILE",
        "AWS_CONFIG_FILE",
        "AWS_ROLE_ARN",
      ],
      ...[
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_BEARER_TOKEN_BEDROCK",
      ],
      ...["AWS_ENDPOINT_URL", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "BOTO_CONFIG", "AWS_VAULT", "RCLONE_CONFIG", "aws_secret_access_key"],
    );
    const any = fc.oneof(names, fc.string(), fc.stringMatching(/^AWS_[A-Z_]*(TOKEN|SECRET|ACCESS_KEY|CREDENTIAL)[A-Z_]*$/));
    const credential =
      /^(aws_.*(token|secret|access_key|credential).*|aws_(profile|config_file|role_arn|endpoint_url|vault)|boto_config|rclone_.*|aws_ec2_metadata_service_endpoint)$/i;
    fc.assert(
      fc.property(
        fc.dictionary(any, fc.string()),
        fc.array(any),
        fc.array(fc.oneof(any, fc.constantFrom("ssh", "aws", "gcloud"))),
        (human, pass, allow) => {
          const { env } = childEnvironment({ human, set: {}, pass, allow });
          expect(Object.keys(env).filter((name) => credential.test(name))).toEqual([]);
        },
      ),
    );
  });

  it("lets no value with an access key id through, under whatever name", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Z_]{1,12}$/),
        fc.constantFrom("AKIA", "ASIA"),
        fc.stringMatching(/^[A-Z2-7]{16}$/),
        (name, prefix, id) => {
          expect(childEnvironment({ human: { [name]: `see ${prefix}${id}.` }, set: {}, pass: [name], allow: [] }).env).toEqual({});
        },
      ),
    );
  });
});
