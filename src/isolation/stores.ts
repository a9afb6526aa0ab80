// Where people keep credentials and other things that speak for them, by the name that `isolation.allow` gives back. Read by plan.ts.

/**
 * `~` is a home folder; `$config`, `$data`, `$state`, `$cache` are the XDG folders (both the default and where the human moved them),
 * `$runtime` is the human's runtime folder.
 * `variables` name files or folders, several with `:` between them.
 */
export interface Store {
  readonly name: string;
  readonly what: string;
  readonly places: readonly string[];
  readonly variables: readonly string[];
  /** The name is a command that reads it by itself. */
  readonly agent?: true;
}

/** Splits at white space; `%` stands for a space in a path. */
const words = (text: string): string[] => text.split(/\s+/).flatMap((word) => (word === "" ? [] : [word.replaceAll("%", " ")]));

const store = (name: string, what: string, places: string, variables = ""): Store => ({
  name,
  what,
  places: words(places),
  variables: words(variables),
});
const agent = (name: string, places: string, variables = ""): Store => ({
  ...store(name, `${name}'s login and settings`, places, variables),
  agent: true,
});

/** Never given back, whatever a profile or the user says. */
export const AWS_STORES: readonly Store[] = [
  store(
    "aws",
    "AWS keys, SSO and login caches",
    `
      ~/.aws ~/.boto ~/.s3cfg ~/.passwd-s3fs ~/.ecs ~/.elasticbeanstalk ~/.awsume ~/.aws-sso $config/aws-sso ~/.granted
      $config/granted ~/.awsvault ~/.saml2aws ~/.aws-okta ~/.okta ~/.okta_aws_login_config ~/.okta-aws ~/.gimme-aws-creds ~/.leapp
      ~/.Leapp $config/Leapp $config/rclone ~/.rclone.conf ~/.mc $data/amazon-q $data/kiro-cli $config/aws-vault ~/.chamber
      $config/mairu $state/mairu $cache/aws
    `,
    `
      AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CREDENTIAL_FILE AWS_WEB_IDENTITY_TOKEN_FILE BOTO_CONFIG
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_LOGIN_CACHE_DIRECTORY S3CMD_CONFIG RCLONE_CONFIG AWS_CLI_HISTORY_FILE
    `,
  ),
];

/** Given back by name. */
export const STORES: readonly Store[] = [
  store("ssh", "SSH keys and agent", "~/.ssh ~/.1password", "SSH_AUTH_SOCK"),
  store("gpg", "GnuPG keys and agent", "~/.gnupg $runtime/gnupg ~/.age $config/age $config/sops", "GNUPGHOME"),
  store(
    "git-credentials",
    "passwords and tokens of source hosts",
    `
      ~/.git-credentials ~/.git-credential-cache $config/git/credentials $cache/git/credential $config/gh $config/glab-cli
      $config/hub ~/.config/tea ~/.subversion/auth $config/github-copilot ~/.gitcookies
    `,
    "GH_CONFIG_DIR GLAB_CONFIG_DIR",
  ),
  store("netrc", "passwords of curl, git and others", "~/.netrc ~/.authinfo ~/.authinfo.gpg", "NETRC"),
  store(
    "docker",
    "container registries' logins and engine sockets",
    `
      ~/.docker $config/containers/auth.json ~/.colima ~/.rd ~/.orbstack ~/.lima $data/containers/podman /run/docker.sock
      /run/podman/podman.sock /run/containerd/containerd.sock $runtime/docker.sock $runtime/podman/podman.sock
    `,
    "DOCKER_CONFIG REGISTRY_AUTH_FILE DOCKER_CERT_PATH",
  ),
  store(
    "kube",
    "Kubernetes access",
    "~/.kube ~/.minikube $config/helm $config/argocd ~/.rancher ~/.talos ~/.k3d $config/k3d",
    "KUBECONFIG HELM_REGISTRY_CONFIG TALOSCONFIG",
  ),
  store(
    "npm",
    "npm, yarn and pnpm logins",
    "~/.npmrc ~/.yarnrc ~/.yarnrc.yml $config/pnpm/rc $config/pnpm/auth.ini ~/.bunfig.toml",
    "NPM_CONFIG_USERCONFIG npm_config_userconfig",
  ),
  store(
    "pip",
    "Python package indexes' logins",
    "~/.pypirc ~/.pip $config/pip $config/pypoetry/auth.toml $data/uv/credentials $data/python_keyring",
    "PIP_CONFIG_FILE",
  ),
  store("cargo", "crates.io logins", "~/.cargo/credentials ~/.cargo/credentials.toml"),
  store("gem", "RubyGems logins", "~/.gem/credentials $data/gem/credentials ~/.bundle/config"),
  store(
    "maven",
    "Maven, Gradle, NuGet, Composer and Dart logins",
    `
      ~/.m2/settings.xml ~/.m2/settings-security.xml ~/.gradle/gradle.properties ~/.nuget/NuGet ~/.composer/auth.json
      $config/composer/auth.json $config/dart/pub-credentials.json ~/.hex/hex.config ~/.sbt/.credentials ~/.ivy2/.credentials
    `,
  ),
  store(
    "gcloud",
    "Google Cloud access",
    "$config/gcloud ~/.gsutil $config/configstore/firebase-tools.json",
    `
      CLOUDSDK_CONFIG GOOGLE_APPLICATION_CREDENTIALS CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE CLOUDSDK_AUTH_ACCESS_TOKEN_FILE
    `,
  ),
  store(
    "azure",
    "Azure access",
    "~/.azure ~/.azure-devops $data/.IdentityService ~/.IdentityService",
    "AZURE_CONFIG_DIR AZURE_CLIENT_CERTIFICATE_PATH AZURE_FEDERATED_TOKEN_FILE",
  ),
  store(
    "other-clouds",
    "other clouds' logins",
    `
      $config/doctl $config/hcloud ~/.oci ~/.aliyun ~/.bluemix ~/.fly $config/.wrangler ~/.wrangler ~/.cloudflared ~/.vercel
      $data/com.vercel.cli ~/.netlify $config/netlify ~/.railway $config/stripe ~/.ngrok2 $config/ngrok $config/scw
      $config/openstack $config/linode-cli ~/.cf $cache/huggingface/token $cache/huggingface/stored_tokens ~/.huggingface/token
      $config/configstore/heroku.json $data/heroku $config/databricks ~/.databrickscfg ~/.snowsql ~/.snowflake ~/.kaggle
    `,
  ),
  store(
    "terraform",
    "Terraform, Pulumi and Ansible credentials",
    `
      ~/.terraformrc ~/.terraform.d/credentials.tfrc.json ~/.pulumi/credentials.json ~/.ansible/vault_pass ~/.vault_pass
    `,
    "TF_CLI_CONFIG_FILE ANSIBLE_VAULT_PASSWORD_FILE",
  ),
  store(
    "vaults",
    "password managers and keyrings",
    `
      ~/.vault-token ~/.vault $config/op ~/.op $config/Bitwarden%CLI $config/Bitwarden ~/.password-store $data/gopass $config/gopass
      $data/keyrings $data/kwalletd $config/keepassxc $config/1Password ~/.doppler ~/.infisical ~/Library/Keychains
      ~/Library/Application%Support/1Password ~/Library/Group%Containers/2BUA8C4S2C.com.1password $data/mkcert/rootCA-key.pem
      ~/.mitmproxy/mitmproxy-ca.pem ~/.pki $data/pki ~/.consul-token ~/.nomad-token ~/.lastpass $data/lpass $config/rbw $data/rbw
    `,
    "PASSWORD_STORE_DIR SOPS_AGE_KEY_FILE",
  ),
  store(
    "databases",
    "database passwords",
    `
      ~/.pgpass ~/.pg_service.conf ~/.my.cnf ~/.mylogin.cnf ~/.mongorc.js $config/pgcli ~/.redisclirc $data/DBeaverData
    `,
    "PGPASSFILE PGSERVICEFILE",
  ),
  store(
    "browsers",
    "browser profiles: cookies and saved passwords",
    `
      ~/.mozilla $config/google-chrome $config/google-chrome-beta $config/google-chrome-unstable $config/chromium
      $config/BraveSoftware $config/microsoft-edge $config/vivaldi $config/opera $config/mozilla ~/.zen ~/.librewolf
      ~/Library/Safari ~/Library/Cookies ~/Library/Application%Support/Google/Chrome ~/Library/Application%Support/Firefox
      ~/Library/Application%Support/Chromium ~/Library/Application%Support/BraveSoftware
      ~/Library/Application%Support/Microsoft%Edge ~/Library/Application%Support/Arc ~/Library/HTTPStorages ~/Library/WebKit
      ~/snap/firefox ~/snap/chromium ~/.var/app $cache/mozilla $cache/google-chrome $cache/chromium $cache/BraveSoftware
    `,
  ),
  store(
    "messages",
    "mail and chat programs",
    `
      ~/.thunderbird $config/Slack $config/discord $config/Signal $config/Element $config/Microsoft ~/.msmtprc $config/msmtp
      /var/mail /var/spool/mail ~/Library/Mail ~/Library/Messages ~/Library/Application%Support/Slack
      ~/Library/Application%Support/discord ~/.mbsyncrc ~/.offlineimaprc ~/.fetchmailrc ~/.mutt $config/teams-for-linux
      $data/TelegramDesktop
    `,
  ),
  store(
    "histories",
    "histories, and memory of crashed programs, which often hold secrets",
    `
      ~/.bash_history ~/.zsh_history ~/.zhistory ~/.histfile ~/.sh_history ~/.ksh_history ~/.bash_sessions ~/.zsh_sessions
      $data/fish/fish_history $data/atuin $data/mcfly ~/.python_history ~/.node_repl_history ~/.psql_history ~/.mysql_history
      ~/.mariadb_history ~/.sqlite_history ~/.rediscli_history ~/.irb_history ~/.pry_history
      ~/.ipython/profile_default/history.sqlite ~/.lesshst ~/.viminfo $state/nvim/shada ~/.mongodb ~/.dbshell ~/.duckdb_history
      $state/bash $state/zsh $state/lesshst $state/python_history ~/.recently-used /var/lib/systemd/coredump
      /var/lib/apport/coredump /var/crash
    `,
    "HISTFILE LESSHISTFILE PYTHON_HISTORY NODE_REPL_HISTORY PSQL_HISTORY MYSQL_HISTFILE",
  ),
  store(
    "desktop",
    "what lets a program act on the desktop",
    `
      ~/.Xauthority ~/.ICEauthority ~/.dbus $cache/ibus $config/ibus/bus ~/.screen /tmp/.X11-unix $runtime/bus ~/.vnc
      $config/tigervnc $runtime/wayland-0 $runtime/wayland-1 /run/dbus/system_bus_socket
    `,
    "XAUTHORITY",
  ),
  store(
    "ide",
    "what lets a program act in your notebooks and editors",
    `
      $data/jupyter/runtime $config/code-server ~/.m2/mvnd/registry ~/.buck/buckd ~/.erlang.cookie ~/.vscode/cli/token.json
      ~/.vscode/cli/serve-web-token
    `,
    "JUPYTER_RUNTIME_DIR",
  ),
  // Of agents that are known by nothing else.
  agent("copilot", "~/.copilot", "COPILOT_HOME"),
  agent("qwen", "~/.qwen"),
  agent("droid", "~/.factory"),
  agent("crush", "$config/crush $data/crush", "CRUSH_GLOBAL_CONFIG CRUSH_GLOBAL_DATA"),
  agent("kimi", "~/.kimi ~/.kimi-code", "KIMI_SHARE_DIR"),
  agent("cline", "~/.cline"),
  agent("pi", "~/.pi"),
];

/** Files of the system that only root reads, for the case that the human is root. Not given back. */
export const ROOT_STORES: readonly Store[] = [
  store(
    "system",
    "the system's own secrets",
    `
      /etc/shadow /etc/gshadow /etc/shadow- /etc/gshadow- /etc/kubernetes /etc/rancher /var/lib/cloud /var/lib/kubelet
    `,
  ),
];
