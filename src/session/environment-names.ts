// Which variables of the human's environment the agent does not get, which it keeps all the same, and why. Tables only; read by environment.ts.

export interface NameRule {
  readonly reason: string;
  /** Upper or lower case; `*` stands for any characters. */
  readonly names: readonly string[];
}

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");

/** What AWS SDKs, the AWS CLI and their companions read to find credentials or where to send them. Never passed on, whatever is asked. */
export const AWS_NAMES: readonly NameRule[] = [
  {
    reason: "AWS credentials, or where to find or send them: the agent has the session's only",
    names: words(`
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
    `),
  },
  { reason: "agent-run's own", names: ["AGENT_RUN", "AGENT_RUN_*"] },
];

/** Other people's doors: removed unless `environment.pass` or `isolation.allow` gives them back. */
export const REMOVED: readonly NameRule[] = [
  {
    reason: "Google Cloud credentials",
    names: words(`
      GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CREDENTIALS GOOGLE_CLOUD_KEYFILE_JSON GCLOUD_KEYFILE_JSON GOOGLE_OAUTH_ACCESS_TOKEN
      GOOGLE_IMPERSONATE_SERVICE_ACCOUNT GOOGLE_EXTERNAL_ACCOUNT_* CLOUDSDK_AUTH_* CLOUDSDK_CONFIG CLOUDSDK_CORE_* GCE_METADATA_*
      GOOGLE_BACKEND_CREDENTIALS GOOGLE_GHA_CREDS_PATH
    `),
  },
  {
    reason: "Azure credentials",
    names: words(`
      AZURE_CLIENT_* AZURE_TENANT_ID AZURE_USERNAME AZURE_PASSWORD AZURE_FEDERATED_TOKEN_FILE AZURE_AUTHORITY_HOST AZURE_CONFIG_DIR
      AZURE_STORAGE_* AZURE_DEVOPS_EXT_PAT SYSTEM_ACCESSTOKEN ARM_* IDENTITY_ENDPOINT IDENTITY_HEADER MSI_ENDPOINT MSI_SECRET IMDS_ENDPOINT
    `),
  },
  {
    reason: "Kubernetes access",
    names: words("KUBECONFIG KUBE_* HELM_KUBE* HELM_REGISTRY_CONFIG KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT TALOSCONFIG ARGOCD_*"),
  },
  {
    reason: "a container engine, which runs anything as root",
    names: words("DOCKER_CONFIG DOCKER_AUTH_CONFIG DOCKER_HOST DOCKER_CERT_PATH DOCKER_CONTEXT REGISTRY_AUTH_FILE CONTAINER_HOST"),
  },
  {
    reason: "credentials of vaults and infrastructure tools",
    names: words(`
      VAULT_* CONSUL_HTTP_TOKEN NOMAD_TOKEN BOUNDARY_TOKEN TF_TOKEN_* TFE_TOKEN TF_CLI_CONFIG_FILE TF_VAR_* PULUMI_ACCESS_TOKEN
      PULUMI_CONFIG_PASSPHRASE* OP_SERVICE_ACCOUNT_TOKEN OP_SESSION_* OP_CONNECT_TOKEN BW_SESSION DOPPLER_TOKEN INFISICAL_TOKEN
      SOPS_AGE_KEY* ANSIBLE_VAULT_PASSWORD_FILE KEYRING_*
    `),
  },
  {
    reason: "tokens of source hosts and build servers",
    names: words(`
      GH_TOKEN GITHUB_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN GITLAB_TOKEN GL_TOKEN BITBUCKET_* CI_JOB_TOKEN CI_JOB_JWT*
      ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_RUNTIME_TOKEN GIT_ASKPASS SSH_ASKPASS GIT_CONFIG_COUNT
      GIT_CONFIG_KEY_* GIT_CONFIG_VALUE_* GIT_CONFIG_PARAMETERS GIT_CONFIG_GLOBAL
    `),
  },
  { reason: "your SSH agent signs in as you", names: words("SSH_AUTH_SOCK SSH_AGENT_PID GIT_SSH_COMMAND") },
  {
    reason: "logins of package registries",
    names: words(`
      NPM_TOKEN NODE_AUTH_TOKEN npm_config_*auth* NPM_CONFIG_USERCONFIG YARN_NPM_AUTH_TOKEN PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE
      TWINE_* UV_PUBLISH_* UV_INDEX_* POETRY_PYPI_TOKEN_* POETRY_HTTP_BASIC_* CARGO_REGISTRY_TOKEN CARGO_REGISTRIES_*_TOKEN
      GEM_HOST_API_KEY NUGET_* BUNDLE_*__* COMPOSER_AUTH
    `),
  },
  {
    reason: "what variables were before, packed, whatever is removed of them now",
    names: words("DIRENV_DIFF __MISE_DIFF __MISE_SESSION"),
  },
  {
    reason: "passwords and keys of databases and services",
    names: words(`
      PGPASSWORD PGPASSFILE PGSERVICEFILE MYSQL_PWD REDISCLI_AUTH DATABASE_URL *_DATABASE_URL MONGODB_URI REDIS_URL CLOUDFLARE_API_TOKEN
      CLOUDFLARE_API_KEY DIGITALOCEAN_ACCESS_TOKEN HEROKU_API_KEY DD_API_KEY DD_APP_KEY SENTRY_AUTH_TOKEN SENTRY_DSN SLACK_*TOKEN
      SLACK_WEBHOOK* STRIPE_* OCI_CLI_* HCLOUD_* SNOWFLAKE_* DATABRICKS_*
    `),
  },
  {
    reason: "your desktop: keyring, screen and session bus",
    names: words(`
      DBUS_SESSION_BUS_ADDRESS DBUS_SYSTEM_BUS_ADDRESS GNOME_KEYRING_* GPG_AGENT_INFO GNUPGHOME XAUTHORITY DISPLAY WAYLAND_DISPLAY
      WAYLAND_SOCKET AT_SPI_BUS_ADDRESS SESSION_MANAGER ICEAUTHORITY
    `),
  },
  {
    reason: "remote control of your terminal or editor",
    names: words(`
      KITTY_LISTEN_ON WEZTERM_UNIX_SOCKET VSCODE_IPC_HOOK* VSCODE_GIT_* VSCODE_NONCE NVIM NVIM_LISTEN_ADDRESS EMACS_SERVER_FILE
      CLAUDE_CODE_SSE_PORT WSL_INTEROP ALACRITTY_SOCKET ZELLIJ_SOCKET_DIR I3SOCK SWAYSOCK HYPRLAND_INSTANCE_SIGNATURE
    `),
  },
];

/** Not for a session that is sent somewhere else than to AWS. */
export const ENDPOINT_CHOICES: NameRule = {
  reason: "chooses among AWS's own endpoints",
  names: words("AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_STS_REGIONAL_ENDPOINTS"),
};

/** Kept although a rule or the pattern below would remove them. */
export const KEPT: readonly NameRule[] = [
  {
    reason: "the agent's own key to its model",
    names: words(`
      ANTHROPIC_API_KEY ANTHROPIC_AUTH_TOKEN ANTHROPIC_FOUNDRY_API_KEY CLAUDE_CODE_OAUTH_TOKEN CLAUDE_CODE_CLIENT_KEY_PASSPHRASE CLAUDE_CODE_API_KEY_HELPER_TTL_MS
      OPENAI_API_KEY CODEX_API_KEY GEMINI_API_KEY AZURE_OPENAI_API_KEY AZURE_OPENAI_AD_TOKEN MISTRAL_API_KEY GROQ_API_KEY
      OPENROUTER_API_KEY DEEPSEEK_API_KEY XAI_API_KEY COHERE_API_KEY TOGETHER_API_KEY TOGETHERAI_API_KEY FIREWORKS_API_KEY
      PERPLEXITY_API_KEY CEREBRAS_API_KEY MOONSHOT_API_KEY DASHSCOPE_API_KEY ZAI_API_KEY ZHIPU_API_KEY MINIMAX_API_KEY NVIDIA_API_KEY
      HUGGINGFACE_API_KEY LITELLM_API_KEY CURSOR_API_KEY AMP_API_KEY OPENCODE_API_KEY GOOSE_PROVIDER__API_KEY AI_GATEWAY_API_KEY
    `),
  },
  {
    reason: "Gemini's key, though other Google services take it too: remove it yourself where it may do more",
    names: ["GOOGLE_API_KEY"],
  },
  {
    reason: "belongs to your tools, holds no credential; agent-run itself does not use it",
    names: words(`
      NODE_OPTIONS NODE_PATH PYTHONPATH PYTHONSTARTUP LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT BASH_ENV ENV PERL5OPT RUBYOPT
      DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH
    `),
  },
  {
    reason: "a setting: only its name looks like a secret's",
    names: words(`
      TOKENIZERS_PARALLELISM *_MAX_TOKENS *_MAX_*_TOKENS MAX_*TOKENS* *_TOKEN_LIMIT *_TOKEN_BUDGET *_TOKENS_LIMIT MAX_TOKENS
      CLAUDE_CODE_MAX_OUTPUT_TOKENS MAX_THINKING_TOKENS MAX_MCP_OUTPUT_TOKENS
    `),
  },
  { reason: "certificates that your network needs, no credential", names: ["AWS_CA_BUNDLE"] },
  ENDPOINT_CHOICES,
  { reason: "names where you are, opens nothing", names: words("SSH_TTY SSH_CONNECTION SSH_CLIENT") },
];

/** What a session sets (childVariables of delivery.ts). */
export const SET: readonly NameRule[] = [
  { reason: "tells programs that they run in a session, and in which", names: ["AGENT_RUN", "AGENT_RUN_*"] },
  { reason: "where AWS clients fetch the session's credentials", names: ["AWS_CONTAINER_*"] },
  {
    reason: "the session's credentials",
    names: words("AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_CREDENTIAL_EXPIRATION"),
  },
  {
    reason: "a file of the session, so that yours is not read",
    names: words("AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CREDENTIAL_PROFILES_FILE"),
  },
  { reason: "older AWS SDKs read the session's files only with it", names: ["AWS_SDK_LOAD_CONFIG"] },
  { reason: "an empty file, so that yours is not read", names: words("AWS_CREDENTIAL_FILE BOTO_CONFIG RCLONE_CONFIG S3CMD_CONFIG") },
  { reason: "no credentials from the machine's own role", names: ["AWS_EC2_METADATA_DISABLED"] },
  { reason: "marks the session's requests in CloudTrail", names: ["AWS_SDK_UA_APP_ID"] },
  { reason: "the session's region", names: words("AWS_REGION AWS_DEFAULT_REGION") },
  { reason: "the endpoint of the session", names: ["AWS_ENDPOINT_URL"] },
  { reason: "leads to the hosts of isolation.network", names: words("HTTPS_PROXY NO_PROXY NODE_USE_ENV_PROXY") },
];

/** What each name of `isolation.allow` gives back. */
export const GIVEN_BACK: ReadonlyMap<string, readonly NameRule[]> = new Map(
  Object.entries({
    ssh: words("SSH_AUTH_SOCK SSH_AGENT_PID SSH_ASKPASS GIT_SSH_COMMAND"),
    gpg: words("GPG_AGENT_INFO GNUPGHOME SOPS_AGE_KEY*"),
    "git-credentials": words(`
    GH_TOKEN GITHUB_TOKEN GH_ENTERPRISE_TOKEN GITHUB_ENTERPRISE_TOKEN GITLAB_TOKEN GL_TOKEN BITBUCKET_* GIT_ASKPASS GIT_CONFIG_COUNT
    GIT_CONFIG_KEY_* GIT_CONFIG_VALUE_* GIT_CONFIG_PARAMETERS GIT_CONFIG_GLOBAL VSCODE_GIT_*
  `),
    docker: words("DOCKER_CONFIG DOCKER_AUTH_CONFIG DOCKER_HOST DOCKER_CERT_PATH DOCKER_CONTEXT REGISTRY_AUTH_FILE CONTAINER_HOST"),
    kube: words("KUBECONFIG KUBE_* HELM_KUBE* HELM_REGISTRY_CONFIG KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT TALOSCONFIG ARGOCD_*"),
    npm: words("NPM_TOKEN NODE_AUTH_TOKEN npm_config_*auth* NPM_CONFIG_USERCONFIG YARN_NPM_AUTH_TOKEN"),
    pip: words("PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE TWINE_* UV_PUBLISH_* UV_INDEX_* POETRY_PYPI_TOKEN_* POETRY_HTTP_BASIC_*"),
    cargo: words("CARGO_REGISTRY_TOKEN CARGO_REGISTRIES_*_TOKEN"),
    gem: words("GEM_HOST_API_KEY BUNDLE_*__*"),
    gcloud: words(`
    GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CREDENTIALS GOOGLE_CLOUD_KEYFILE_JSON GCLOUD_KEYFILE_JSON GOOGLE_OAUTH_ACCESS_TOKEN
    GOOGLE_IMPERSONATE_SERVICE_ACCOUNT GOOGLE_EXTERNAL_ACCOUNT_* CLOUDSDK_* GCE_METADATA_*
  `),
    azure: words(`
    AZURE_CLIENT_* AZURE_TENANT_ID AZURE_USERNAME AZURE_PASSWORD AZURE_FEDERATED_TOKEN_FILE AZURE_AUTHORITY_HOST AZURE_CONFIG_DIR
    AZURE_STORAGE_* AZURE_DEVOPS_EXT_PAT ARM_*
  `),
    terraform: words("TF_TOKEN_* TFE_TOKEN TF_CLI_CONFIG_FILE TF_VAR_* PULUMI_ACCESS_TOKEN PULUMI_CONFIG_PASSPHRASE*"),
    vaults: words("VAULT_* OP_SERVICE_ACCOUNT_TOKEN OP_SESSION_* OP_CONNECT_TOKEN BW_SESSION DOPPLER_TOKEN INFISICAL_TOKEN"),
    databases: words("PGPASSWORD PGPASSFILE PGSERVICEFILE MYSQL_PWD REDISCLI_AUTH DATABASE_URL *_DATABASE_URL MONGODB_URI REDIS_URL"),
    desktop: words("DBUS_SESSION_BUS_ADDRESS XAUTHORITY DISPLAY WAYLAND_DISPLAY AT_SPI_BUS_ADDRESS SESSION_MANAGER"),
    ide: words("CLAUDE_CODE_SSE_PORT VSCODE_IPC_HOOK* NVIM NVIM_LISTEN_ADDRESS"),
  }).map(([name, names]) => [name, [{ reason: `you asked: isolation.allow = "${name}"`, names }]]),
);

/** An AWS access key id, under whatever name: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
export const ACCESS_KEY_ID = /(?<![A-Z0-9])(AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])/;

/** The second net: any name with one of these in it that no rule above keeps. */
export const SECRET_LOOKING = /token|secret|passw(or)?d|passphrase|api_?key|private_?key|access_?key|credential|connection_string/i;
