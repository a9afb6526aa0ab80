// Which variables of the human's environment the agent does not get, which it keeps all the same, and why. Tables only; read by environment.ts.

export interface NameRule {
  readonly reason: string;
  /** Upper or lower case; `*` stands for any characters. */
  readonly names: readonly string[];
}

const rule = (reason: string, names: string): NameRule => ({ reason, names: names.split(/\s+/).filter((name) => name !== "") });

/** What is removed of what a name of `isolation.allow` opens, and given back with it. */
const OPENED = {
  ssh: "SSH_AUTH_SOCK SSH_AGENT_PID GIT_SSH_COMMAND",
  gpg: "GPG_AGENT_INFO GNUPGHOME",
  "git-credentials": `
    GH_TOKEN GITHUB_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN GITLAB_TOKEN GL_TOKEN BITBUCKET_* GIT_ASKPASS GIT_CONFIG_COUNT
    GIT_CONFIG_KEY_* GIT_CONFIG_VALUE_* GIT_CONFIG_PARAMETERS GIT_CONFIG_GLOBAL
  `,
  docker: "DOCKER_CONFIG DOCKER_AUTH_CONFIG DOCKER_HOST DOCKER_CERT_PATH DOCKER_CONTEXT REGISTRY_AUTH_FILE CONTAINER_HOST",
  kube: "KUBECONFIG KUBE_* HELM_KUBE* HELM_REGISTRY_CONFIG KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT TALOSCONFIG ARGOCD_*",
  npm: "NPM_TOKEN NODE_AUTH_TOKEN npm_config_*auth* NPM_CONFIG_USERCONFIG YARN_NPM_AUTH_TOKEN",
  pip: "PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE TWINE_* UV_PUBLISH_* UV_INDEX_* POETRY_PYPI_TOKEN_* POETRY_HTTP_BASIC_*",
  cargo: "CARGO_REGISTRY_TOKEN CARGO_REGISTRIES_*_TOKEN",
  gem: "GEM_HOST_API_KEY BUNDLE_*__*",
  gcloud: `
    GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CREDENTIALS GOOGLE_CLOUD_KEYFILE_JSON GCLOUD_KEYFILE_JSON GOOGLE_OAUTH_ACCESS_TOKEN
    GOOGLE_IMPERSONATE_SERVICE_ACCOUNT GOOGLE_EXTERNAL_ACCOUNT_* GCE_METADATA_*
  `,
  azure: `
    AZURE_CLIENT_* AZURE_TENANT_ID AZURE_USERNAME AZURE_PASSWORD AZURE_FEDERATED_TOKEN_FILE AZURE_AUTHORITY_HOST AZURE_CONFIG_DIR
    AZURE_STORAGE_* AZURE_DEVOPS_EXT_PAT ARM_*
  `,
  terraform: "TF_TOKEN_* TFE_TOKEN TF_CLI_CONFIG_FILE TF_VAR_* PULUMI_ACCESS_TOKEN PULUMI_CONFIG_PASSPHRASE*",
  vaults: "VAULT_* OP_SERVICE_ACCOUNT_TOKEN OP_SESSION_* OP_CONNECT_TOKEN BW_SESSION DOPPLER_TOKEN INFISICAL_TOKEN",
  databases: "PGPASSWORD PGPASSFILE PGSERVICEFILE MYSQL_PWD REDISCLI_AUTH DATABASE_URL *_DATABASE_URL MONGODB_URI REDIS_URL",
  desktop: "DBUS_SESSION_BUS_ADDRESS XAUTHORITY DISPLAY WAYLAND_DISPLAY AT_SPI_BUS_ADDRESS SESSION_MANAGER",
  ide: "CLAUDE_CODE_SSE_PORT VSCODE_IPC_HOOK* NVIM NVIM_LISTEN_ADDRESS",
};

/** What AWS SDKs, the AWS CLI and their companions read to find credentials or where to send them. Never passed on, whatever is asked. */
export const AWS_NAMES: readonly NameRule[] = [
  rule(
    "AWS credentials, or where to find or send them: the agent has the session's only",
    `
      AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_ACCESS_KEY AWS_SECRET_KEY AWS_CREDENTIAL_EXPIRATION
      AWS_CREDENTIAL_SCOPE AWS_ACCOUNT_ID AWS_ACCOUNT_ID_ENDPOINT_MODE AWS_PROFILE AWS_DEFAULT_PROFILE AWS_CONFIG_FILE
      AWS_SHARED_CREDENTIALS_FILE AWS_CREDENTIAL_FILE AWS_CREDENTIALS_FILE BOTO_CONFIG BOTO_PATH AWS_DATA_PATH AWS_LOGIN_CACHE_DIRECTORY
      AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE AWS_CONTAINER_* AWS_EC2_METADATA_* AWS_IMDS_USE_IPV6
      AWS_METADATA_SERVICE_* AWS_BEARER_TOKEN_* AWS_AUTH_SCHEME_PREFERENCE AWS_SIGV4A_SIGNING_REGION_SET AWS_ENDPOINT_URL AWS_ENDPOINT_URL_*
      AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_PARTITION
      AWS_ENDPOINT_DISCOVERY_ENABLED AWS_DISABLE_HOST_PREFIX_INJECTION AWS_CSM_* AWS_CLI_HISTORY_FILE AWS_SSM_START_SESSION_RESPONSE
      AWS_LAMBDA_FUNCTION_NAME AWS_EXECUTION_ENV S3CMD_CONFIG RCLONE_* AWS_VAULT* AWSUME_* AWS_SSO_* AWS_OKTA_* SAML2AWS_* GRANTED_*
      ASSUMED_ROLE AWS_CHAMBER_* AWS_SDK_LOAD_CONFIG AWS_SDK_UA_APP_ID AMAZON_*KEY* AWS_*SECRET* AWS_*TOKEN* AWS_*PASSWORD* AWS_*CREDENTIAL*
      AWS_*ACCESS_KEY* AMPLIFY_*TOKEN* SIGV4_* EC2_ACCESS_KEY EC2_SECRET_KEY S3_ACCESS_KEY* S3_SECRET_* MINIO_*KEY* MC_HOST_*
    `,
  ),
  rule("agent-run's own", "AGENT_RUN AGENT_RUN_*"),
];

/** Other people's doors: removed unless `environment.pass` or `isolation.allow` gives them back. */
export const REMOVED: readonly NameRule[] = [
  rule(
    "Google Cloud credentials",
    `${OPENED.gcloud} CLOUDSDK_AUTH_* CLOUDSDK_CONFIG CLOUDSDK_CORE_* GOOGLE_BACKEND_CREDENTIALS GOOGLE_GHA_CREDS_PATH`,
  ),
  rule("Azure credentials", `${OPENED.azure} SYSTEM_ACCESSTOKEN IDENTITY_ENDPOINT IDENTITY_HEADER MSI_ENDPOINT MSI_SECRET IMDS_ENDPOINT`),
  rule("Kubernetes access", OPENED.kube),
  rule("a container engine, which runs anything as root", OPENED.docker),
  rule(
    "credentials of vaults and infrastructure tools",
    `
      ${OPENED.vaults} ${OPENED.terraform} CONSUL_HTTP_TOKEN NOMAD_TOKEN BOUNDARY_TOKEN SOPS_AGE_KEY* ANSIBLE_VAULT_PASSWORD_FILE KEYRING_*
    `,
  ),
  rule(
    "tokens of source hosts and build servers",
    `
      ${OPENED["git-credentials"]} CI_JOB_TOKEN CI_JOB_JWT* ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_RUNTIME_TOKEN SSH_ASKPASS
    `,
  ),
  rule("your SSH agent signs in as you", OPENED.ssh),
  rule("logins of package registries", `${OPENED.npm} ${OPENED.pip} ${OPENED.cargo} ${OPENED.gem} NUGET_* COMPOSER_AUTH`),
  rule("what variables were before, packed, whatever is removed of them now", "DIRENV_DIFF __MISE_DIFF __MISE_SESSION"),
  rule(
    "passwords and keys of databases and services",
    `
      ${OPENED.databases} CLOUDFLARE_API_TOKEN CLOUDFLARE_API_KEY DIGITALOCEAN_ACCESS_TOKEN HEROKU_API_KEY DD_API_KEY DD_APP_KEY
      SENTRY_AUTH_TOKEN SENTRY_DSN SLACK_*TOKEN SLACK_WEBHOOK* STRIPE_* OCI_CLI_* HCLOUD_* SNOWFLAKE_* DATABRICKS_*
    `,
  ),
  rule(
    "your desktop: keyring, screen and session bus",
    `${OPENED.desktop} ${OPENED.gpg} DBUS_SYSTEM_BUS_ADDRESS GNOME_KEYRING_* WAYLAND_SOCKET ICEAUTHORITY`,
  ),
  rule(
    "remote control of your terminal or editor",
    `
      ${OPENED.ide} KITTY_LISTEN_ON WEZTERM_UNIX_SOCKET VSCODE_GIT_* VSCODE_NONCE EMACS_SERVER_FILE WSL_INTEROP ALACRITTY_SOCKET
      ZELLIJ_SOCKET_DIR I3SOCK SWAYSOCK HYPRLAND_INSTANCE_SIGNATURE
    `,
  ),
];

/** Not for a session that is sent somewhere else than to AWS. */
export const ENDPOINT_CHOICES = rule(
  "chooses among AWS's own endpoints",
  "AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_STS_REGIONAL_ENDPOINTS",
);

/** Kept although a rule or the pattern below would remove them. */
export const KEPT: readonly NameRule[] = [
  rule(
    "the agent's own key to its model",
    `
      ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_FOUNDRY_API_KEY CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_CLIENT_KEY_PASSPHRASE CLAUDE_CODE_API_KEY_HELPER_TTL_MS
      OPENAI_API_KEY CODEX_API_KEY GEMINI_API_KEY AZURE_OPENAI_API_KEY AZURE_OPENAI_AD_TOKEN MISTRAL_API_KEY GROQ_API_KEY
      OPENROUTER_API_KEY DEEPSEEK_API_KEY XAI_API_KEY COHERE_API_KEY TOGETHER_API_KEY TOGETHERAI_API_KEY FIREWORKS_API_KEY
      PERPLEXITY_API_KEY CEREBRAS_API_KEY MOONSHOT_API_KEY DASHSCOPE_API_KEY ZAI_API_KEY ZHIPU_API_KEY MINIMAX_API_KEY NVIDIA_API_KEY
      HUGGINGFACE_API_KEY LITELLM_API_KEY CURSOR_API_KEY AMP_API_KEY OPENCODE_API_KEY GOOSE_PROVIDER__API_KEY AI_GATEWAY_API_KEY
    `,
  ),
  rule("Gemini's key, though other Google services take it too: remove it yourself where it may do more", "GOOGLE_API_KEY"),
  rule(
    "belongs to your tools, holds no credential; agent-run itself does not use it",
    `
      NODE_OPTIONS NODE_PATH PYTHONPATH PYTHONSTARTUP LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT BASH_ENV ENV PERL5OPT RUBYOPT
      DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH
    `,
  ),
  rule(
    "a setting: only its name looks like a secret's",
    "TOKENIZERS_PARALLELISM *_MAX_TOKENS *_MAX_*_TOKENS MAX_*TOKENS* *_TOKEN_LIMIT *_TOKEN_BUDGET *_TOKENS_LIMIT",
  ),
  rule("certificates that your network needs, no credential", "AWS_CA_BUNDLE"),
  ENDPOINT_CHOICES,
  rule("names where you are, opens nothing", "SSH_TTY SSH_CONNECTION SSH_CLIENT"),
];

/** What a session sets (childVariables of delivery.ts). */
export const SET: readonly NameRule[] = [
  rule("tells programs that they run in a session, and in which", "AGENT_RUN AGENT_RUN_*"),
  rule("where AWS clients fetch the session's credentials", "AWS_CONTAINER_*"),
  rule("the session's credentials", "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CREDENTIAL_EXPIRATION"),
  rule("a file of the session, so that yours is not read", "AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CREDENTIAL_PROFILES_FILE"),
  rule("older AWS SDKs read the session's files only with it", "AWS_SDK_LOAD_CONFIG"),
  rule("an empty file, so that yours is not read", "AWS_CREDENTIAL_FILE BOTO_CONFIG RCLONE_CONFIG S3CMD_CONFIG"),
  rule("no credentials from the machine's own role", "AWS_EC2_METADATA_DISABLED"),
  rule("marks the session's requests in CloudTrail", "AWS_SDK_UA_APP_ID"),
  rule("the session's region", "AWS_REGION AWS_DEFAULT_REGION"),
  rule("the endpoint of the session", "AWS_ENDPOINT_URL"),
  rule("leads to the hosts of isolation.network", "HTTPS_PROXY NO_PROXY NODE_USE_ENV_PROXY"),
];

/** What each name of `isolation.allow` gives back. */
export const GIVEN_BACK: ReadonlyMap<string, readonly NameRule[]> = new Map(
  Object.entries({
    ...OPENED,
    ssh: `${OPENED.ssh} SSH_ASKPASS`,
    gpg: `${OPENED.gpg} SOPS_AGE_KEY*`,
    "git-credentials": `${OPENED["git-credentials"]} VSCODE_GIT_*`,
    gcloud: `${OPENED.gcloud} CLOUDSDK_*`,
  }).map(([name, names]) => [name, [rule(`you asked: isolation.allow = "${name}"`, names)]]),
);

/** An AWS access key id, under whatever name: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
export const ACCESS_KEY_ID = /(?<![A-Z0-9])(AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])/;

/** The second net: any name with one of these in it that no rule above keeps. */
export const SECRET_LOOKING = /token|secret|passw(or)?d|passphrase|api_?key|private_?key|access_?key|credential|connection_string/i;
