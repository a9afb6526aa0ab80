// What the short-lived child runs that asks the system keyring, as a text for `node -e`. Started by keyring.ts alone.

/**
 * Reads one request as JSON from stdin and answers with one JSON object on stdout. Its one argument is where the library is. Secrets go through these two
 * pipes and nowhere else. On Linux the secret service is named, because the library would else fall back to the kernel's keyring without a word.
 */
export const KEYRING_PROGRAM = `
const { AsyncEntry, findCredentialsAsync } = require(process.argv[1]);
const entry = (service, account) => new AsyncEntry(service, account, { linux: { store: "secret-service" } });
const idOf = (text) => {
  try { const { accessKeyId } = JSON.parse(text); return typeof accessKeyId === "string" ? accessKeyId : null; } catch { return null; }
};
const acts = {
  get: ({ service, account }) => entry(service, account).getPassword(),
  set: ({ service, account, secret }) => entry(service, account).setPassword(secret),
  remove: ({ service, account }) => entry(service, account).deletePassword(),
  list: async ({ service }) => {
    entry(service, "any");
    const found = await findCredentialsAsync(service);
    return found.map(({ account, password }) => ({ account, accessKeyId: idOf(password) }));
  },
};
const parts = [];
process.stdin.on("data", (part) => parts.push(part)).on("end", async () => {
  let answer;
  try {
    const request = JSON.parse(Buffer.concat(parts).toString("utf8"));
    answer = { ok: (await acts[request.act](request)) ?? null };
  } catch (error) {
    answer = { error: String(error && error.message) };
  }
  process.stdout.write(JSON.stringify(answer), () => process.exit());
});
`;
