// IAM (query protocol, 2010-05-08): the operations table. Registered in cloud.ts.
import type { Call, Service } from "../call.ts";
import { authFault } from "../fault.ts";
import { queryHandler, queryOperation } from "../query-service.ts";
import { createAccessKey, deleteAccessKey, getAccessKeyLastUsed, listAccessKeys, updateAccessKey } from "./access-keys.ts";
import {
  createPolicy,
  createPolicyVersion,
  deletePolicy,
  deletePolicyVersion,
  getPolicy,
  getPolicyVersion,
  listPolicies,
  listPolicyVersions,
  setDefaultPolicyVersion,
  tagPolicy,
} from "./managed-policies.ts";
import {
  attachRolePolicy,
  deleteRolePolicy,
  detachRolePolicy,
  getRolePolicy,
  getUserPolicy,
  listAttachedRolePolicies,
  listAttachedUserPolicies,
  listRolePolicies,
  listUserPolicies,
  putRolePolicy,
} from "./policies.ts";
import {
  createRole,
  deleteRole,
  deleteRolePermissionsBoundary,
  getRole,
  getUser,
  listRoles,
  listRoleTags,
  putRolePermissionsBoundary,
  tagRole,
  untagRole,
  updateAssumeRolePolicy,
  updateRole,
} from "./roles.ts";
import { simulatePrincipalPolicy } from "./simulate.ts";

const NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/";

const OPERATIONS = {
  AttachRolePolicy: attachRolePolicy,
  CreateAccessKey: createAccessKey,
  CreatePolicy: createPolicy,
  CreatePolicyVersion: createPolicyVersion,
  CreateRole: createRole,
  DeleteAccessKey: deleteAccessKey,
  DeletePolicy: deletePolicy,
  DeletePolicyVersion: deletePolicyVersion,
  DeleteRole: deleteRole,
  DeleteRolePermissionsBoundary: deleteRolePermissionsBoundary,
  DeleteRolePolicy: deleteRolePolicy,
  DetachRolePolicy: detachRolePolicy,
  GetAccessKeyLastUsed: getAccessKeyLastUsed,
  GetPolicy: getPolicy,
  GetPolicyVersion: getPolicyVersion,
  GetRole: getRole,
  GetRolePolicy: getRolePolicy,
  GetUser: getUser,
  GetUserPolicy: getUserPolicy,
  ListAccessKeys: listAccessKeys,
  ListAttachedRolePolicies: listAttachedRolePolicies,
  ListAttachedUserPolicies: listAttachedUserPolicies,
  ListPolicies: listPolicies,
  ListPolicyVersions: listPolicyVersions,
  ListRolePolicies: listRolePolicies,
  ListRoleTags: listRoleTags,
  ListRoles: listRoles,
  ListUserPolicies: listUserPolicies,
  PutRolePermissionsBoundary: putRolePermissionsBoundary,
  PutRolePolicy: putRolePolicy,
  SetDefaultPolicyVersion: setDefaultPolicyVersion,
  SimulatePrincipalPolicy: simulatePrincipalPolicy,
  TagPolicy: tagPolicy,
  TagRole: tagRole,
  UntagRole: untagRole,
  UpdateAccessKey: updateAccessKey,
  UpdateAssumeRolePolicy: updateAssumeRolePolicy,
  UpdateRole: updateRole,
};

/** IAM is closed to federated users, and to GetSessionToken sessions without MFA (STS API Reference, GetSessionToken). */
function checkSession({ caller: { session } }: Call): void {
  if (session?.kind === "federated" || (session?.kind === "user" && session.mfaAt === undefined)) throw authFault("query", "unknown-key");
}

export const iam: Service = {
  name: "iam",
  dialect: "query",
  namespace: NAMESPACE,
  operation: queryOperation,
  handle: queryHandler({ namespace: NAMESPACE, version: "2010-05-08", operations: OPERATIONS, check: checkSession }),
  managementEvent: () => true,
};
