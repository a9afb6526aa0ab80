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
  /** Only the root user could read it anyway: looked at only then. */
  readonly rootOnly?: true;
}

/** Splits at white space; `%` stands for a space in a path. */
const words = (text: string): string[] => text.split(/\s+/).flatMap((word) => (word === "" ? [] : [word.replaceAll("%", " ")]));

/** Never given back, whatever a profile or the user says. */
export const AWS_STORES: readonly Store[] = [
  {
    name: "aws",
    what: "AWS keys, SSO and login caches",
    places: words(`
      ~/.aws ~/.boto ~/.s3cfg ~/.passwd-s3fs ~/.ecs ~/.elasticbeanstalk ~/.awsume ~/.aws-sso $config/aws-sso
      ~/.granted $config/granted ~/.awsvault ~/.saml2aws ~/.aws-okta ~/.okta ~/.okta_aws_login_config ~/.okta-aws
      ~/.gimme-aws-creds ~/.leapp ~/.Leapp $config/Leapp $config/rclone ~/.rclone.conf ~/.mc $data/amazon-q $data/kiro-cli
      $config/aws-vault ~/.chamber $config/mairu $state/mairu $cache/aws
    `),
    variables: words(`
      AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CREDENTIAL_FILE AWS_WEB_IDENTITY_TOKEN_FILE BOTO_CONFIG
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_LOGIN_CACHE_DIRECTORY S3CMD_CONFIG RCLONE_CONFIG AWS_CLI_HISTORY_FILE
    `),
  },
];

/** Given back by name. */
export const STORES: readonly Store[] = [
  { name: "ssh", what: "SSH keys and agent", places: ["~/.ssh", "~/.1password"], variables: ["SSH_AUTH_SOCK"] },
  {
    name: "gpg",
    what: "GnuPG keys and agent",
    places: words(`
      ~/.gnupg $runtime/gnupg ~/.age $config/age $config/sops
    `),
    variables: ["GNUPGHOME"],
  },
  {
    name: "git-credentials",
    what: "passwords and tokens of source hosts",
    places: words(`
      ~/.git-credentials ~/.git-credential-cache $config/git/credentials $cache/git/credential $config/gh $config/glab-cli
      $config/hub ~/.config/tea ~/.subversion/auth $config/github-copilot ~/.gitcookies
    `),
    variables: ["GH_CONFIG_DIR", "GLAB_CONFIG_DIR"],
  },
  {
    name: "netrc",
    what: "passwords of curl, git and others",
    places: ["~/.netrc", "~/.authinfo", "~/.authinfo.gpg"],
    variables: ["NETRC"],
  },
  {
    name: "docker",
    what: "container registries' logins and engine sockets",
    places: words(`
      ~/.docker $config/containers/auth.json ~/.colima ~/.rd ~/.orbstack ~/.lima $data/containers/podman /run/docker.sock
      /run/podman/podman.sock /run/containerd/containerd.sock $runtime/docker.sock $runtime/podman/podman.sock
    `),
    variables: ["DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "DOCKER_CERT_PATH"],
  },
  {
    name: "kube",
    what: "Kubernetes access",
    places: words(`
      ~/.kube ~/.minikube $config/helm $config/argocd ~/.rancher ~/.talos ~/.k3d $config/k3d
    `),
    variables: ["KUBECONFIG", "HELM_REGISTRY_CONFIG", "TALOSCONFIG"],
  },
  {
    name: "npm",
    what: "npm, yarn and pnpm logins",
    places: words(`
      ~/.npmrc ~/.yarnrc ~/.yarnrc.yml $config/pnpm/rc $config/pnpm/auth.ini ~/.bunfig.toml
    `),
    variables: ["NPM_CONFIG_USERCONFIG", "npm_config_userconfig"],
  },
  {
    name: "pip",
    what: "Python package indexes' logins",
    places: words(`
      ~/.pypirc ~/.pip $config/pip $config/pypoetry/auth.toml $data/uv/credentials $data/python_keyring
    `),
    variables: ["PIP_CONFIG_FILE"],
  },
  { name: "cargo", what: "crates.io logins", places: ["~/.cargo/credentials", "~/.cargo/credentials.toml"], variables: [] },
  { name: "gem", what: "RubyGems logins", places: ["~/.gem/credentials", "$data/gem/credentials", "~/.bundle/config"], variables: [] },
  {
    name: "maven",
    what: "Maven, Gradle, NuGet, Composer and Dart logins",
    places: words(`
      ~/.m2/settings.xml ~/.m2/settings-security.xml ~/.gradle/gradle.properties ~/.nuget/NuGet ~/.composer/auth.json
      $config/composer/auth.json $config/dart/pub-credentials.json ~/.hex/hex.config ~/.sbt/.credentials ~/.ivy2/.credentials
    `),
    variables: [],
  },
  {
    name: "gcloud",
    what: "Google Cloud access",
    places: ["$config/gcloud", "~/.gsutil", "$config/configstore/firebase-tools.json"],
    variables: [
      "CLOUDSDK_CONFIG",
      "GOOGLE_APPLICATION_CREDENTIALS",
      "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
      "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE",
    ],
  },
  {
    name: "azure",
    what: "Azure access",
    places: ["~/.azure", "~/.azure-devops", "$data/.IdentityService", "~/.IdentityService"],
    variables: ["AZURE_CONFIG_DIR", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"],
  },
  {
    name: "other-clouds",
    what: "other clouds' logins",
    places: words(`
      $config/doctl $config/hcloud ~/.oci ~/.aliyun ~/.bluemix ~/.fly $config/.wrangler ~/.wrangler ~/.cloudflared ~/.vercel
      $data/com.vercel.cli ~/.netlify $config/netlify ~/.railway $config/stripe ~/.ngrok2 $config/ngrok $config/scw $config/openstack
      $config/linode-cli ~/.cf $cache/huggingface/token $cache/huggingface/stored_tokens ~/.huggingface/token
      $config/configstore/heroku.json $data/heroku $config/databricks ~/.databrickscfg ~/.snowsql ~/.snowflake ~/.kaggle
    `),
    variables: [],
  },
  {
    name: "terraform",
    what: "Terraform, Pulumi and Ansible credentials",
    places: words(`
      ~/.terraformrc ~/.terraform.d/credentials.tfrc.json ~/.pulumi/credentials.json ~/.ansible/vault_pass ~/.vault_pass
    `),
    variables: ["TF_CLI_CONFIG_FILE", "ANSIBLE_VAULT_PASSWORD_FILE"],
  },
  {
    name: "vaults",
    what: "password managers and keyrings",
    places: words(`
      ~/.vault-token ~/.vault $config/op ~/.op $config/Bitwarden%CLI $config/Bitwarden ~/.password-store
      $data/gopass $config/gopass $data/keyrings $data/kwalletd $config/keepassxc $config/1Password ~/.doppler ~/.infisical
      ~/Library/Keychains ~/Library/Application%Support/1Password ~/Library/Group%Containers/2BUA8C4S2C.com.1password
      $data/mkcert/rootCA-key.pem ~/.mitmproxy/mitmproxy-ca.pem
      ~/.pki $data/pki ~/.consul-token ~/.nomad-token ~/.lastpass $data/lpass $config/rbw $data/rbw
    `),
    variables: ["PASSWORD_STORE_DIR", "SOPS_AGE_KEY_FILE"],
  },
  {
    name: "databases",
    what: "database passwords",
    places: words(`
      ~/.pgpass ~/.pg_service.conf ~/.my.cnf ~/.mylogin.cnf ~/.mongorc.js $config/pgcli ~/.redisclirc $data/DBeaverData
    `),
    variables: ["PGPASSFILE", "PGSERVICEFILE"],
  },
  {
    name: "browsers",
    what: "browser profiles: cookies and saved passwords",
    places: words(`
      ~/.mozilla $config/google-chrome $config/google-chrome-beta $config/google-chrome-unstable $config/chromium
      $config/BraveSoftware $config/microsoft-edge $config/vivaldi $config/opera $config/mozilla ~/.zen ~/.librewolf
      ~/Library/Safari ~/Library/Cookies ~/Library/Application%Support/Google/Chrome ~/Library/Application%Support/Firefox
      ~/Library/Application%Support/Chromium ~/Library/Application%Support/BraveSoftware ~/Library/Application%Support/Microsoft%Edge
      ~/Library/Application%Support/Arc ~/Library/HTTPStorages ~/Library/WebKit
      ~/snap/firefox ~/snap/chromium ~/.var/app $cache/mozilla $cache/google-chrome $cache/chromium $cache/BraveSoftware
    `),
    variables: [],
  },
  {
    name: "messages",
    what: "mail and chat programs",
    places: words(`
      ~/.thunderbird $config/Slack $config/discord $config/Signal $config/Element $config/Microsoft ~/.msmtprc $config/msmtp /var/mail /var/spool/mail
      ~/Library/Mail ~/Library/Messages ~/Library/Application%Support/Slack ~/Library/Application%Support/discord
      ~/.mbsyncrc ~/.offlineimaprc ~/.fetchmailrc ~/.mutt $config/teams-for-linux $data/TelegramDesktop
    `),
    variables: [],
  },
  {
    name: "histories",
    what: "histories, and memory of crashed programs, which often hold secrets",
    places: words(`
      ~/.bash_history ~/.zsh_history ~/.zhistory ~/.histfile ~/.sh_history ~/.ksh_history ~/.bash_sessions ~/.zsh_sessions
      $data/fish/fish_history $data/atuin $data/mcfly ~/.python_history ~/.node_repl_history ~/.psql_history ~/.mysql_history
      ~/.mariadb_history ~/.sqlite_history ~/.rediscli_history ~/.irb_history ~/.pry_history
      ~/.ipython/profile_default/history.sqlite ~/.lesshst ~/.viminfo $state/nvim/shada ~/.mongodb ~/.dbshell
      ~/.duckdb_history $state/bash $state/zsh $state/lesshst $state/python_history ~/.recently-used
      /var/lib/systemd/coredump /var/lib/apport/coredump /var/crash
    `),
    variables: words(`
      HISTFILE LESSHISTFILE PYTHON_HISTORY NODE_REPL_HISTORY PSQL_HISTORY MYSQL_HISTFILE
    `),
  },
  {
    name: "desktop",
    what: "what lets a program act on the desktop",
    places: words(`
      ~/.Xauthority ~/.ICEauthority ~/.dbus $cache/ibus $config/ibus/bus ~/.screen /tmp/.X11-unix $runtime/bus
      ~/.vnc $config/tigervnc $runtime/wayland-0 $runtime/wayland-1 /run/dbus/system_bus_socket
    `),
    variables: ["XAUTHORITY"],
  },
  {
    name: "ide",
    what: "what lets a program act in your notebooks and editors",
    places: ["$data/jupyter/runtime", "$config/code-server", "~/.m2/mvnd/registry", "~/.buck/buckd", "~/.erlang.cookie"],
    variables: ["JUPYTER_RUNTIME_DIR"],
  },
];

/** Files of the system that only root reads, for the case that the human is root. Not given back. */
export const ROOT_STORES: readonly Store[] = [
  {
    name: "system",
    what: "the system's own secrets",
    places: words(`
      /etc/shadow /etc/gshadow /etc/shadow- /etc/gshadow- /etc/kubernetes /etc/rancher /var/lib/cloud /var/lib/kubelet
    `),
    variables: [],
    rootOnly: true,
  },
];
