// What one may do with a sign-in: list the accounts and roles it opens, and end it at Identity Center. Called by the login commands and by session.
import { ssoClient, ssoEndpoint } from "../../aws/client.ts";
import { networkFailure, printable, readFailure } from "../../aws/failure.ts";
import { AgentRunError } from "../../core/error.ts";
import type { Environment } from "../../core/paths.ts";
import type { SsoSession } from "./session.ts";

export interface AccountRole {
  readonly account: string;
  readonly accountName: string;
  readonly role: string;
}

/** More than anybody looks through. */
const MOST_ACCOUNTS = 500;

/** Every role of every account that the human was assigned, in the order of the accounts' names. Throws AgentRunError `base-credentials` or `sts-unreachable`. */
export async function listRoles({ region, accessToken }: SsoSession, env: Environment): Promise<AccountRole[]> {
  const { paginateListAccounts, paginateListAccountRoles } = await import("@aws-sdk/client-sso");
  const client = await ssoClient(region, env);
  const token = { accessToken: accessToken.reveal() };
  try {
    const accounts: { id: string; name: string }[] = [];
    for await (const { accountList = [] } of paginateListAccounts({ client }, token))
      accounts.push(...accountList.map(({ accountId = "", accountName = "" }) => ({ id: accountId, name: accountName })));
    accounts.sort((one, other) => (one.name < other.name ? -1 : 1));
    const roles: AccountRole[] = [];
    for (const { id, name } of accounts.slice(0, MOST_ACCOUNTS)) {
      for await (const { roleList = [] } of paginateListAccountRoles({ client }, { ...token, accountId: id }))
        roles.push(...roleList.map(({ roleName = "" }) => ({ account: id, accountName: name, role: roleName })));
    }
    // Of accounts that are called the same, one after the other.
    const key = ({ accountName, account, role }: AccountRole): string => [accountName, account, role].join("\0");
    roles.sort((one, other) => (key(one) < key(other) ? -1 : 1));
    return roles;
  } catch (error) {
    const failure = readFailure(error);
    throw (
      networkFailure(failure, ssoEndpoint("portal.sso", region, env)) ??
      new AgentRunError("base-credentials", `identity center lists no accounts: ${failure.name}: '${printable(failure.text)}'`, {
        hint: "agent-run login",
      })
    );
  }
}

/** Ends it at Identity Center: its token is taken no more. Throws what the SDK says. */
export async function signOut({ region, accessToken }: SsoSession, env: Environment): Promise<void> {
  const { LogoutCommand } = await import("@aws-sdk/client-sso");
  await (await ssoClient(region, env)).send(new LogoutCommand({ accessToken: accessToken.reveal() }));
}
