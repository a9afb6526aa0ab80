// IAM (query protocol, 2010-05-08): the operations table. Registered in cloud.ts.
import type { Call, Service } from "../call.ts";
import { authFault } from "../fault.ts";
import { queryHandler, queryOperation } from "../query-service.ts";
import {
  attachRolePolicy,
  createPolicy,
  deletePolicy,
  deleteRolePolicy,
  detachRolePolicy,
  getPolicy,
  getPolicyVersion,
  getRolePolicy,
  getUserPolicy,
  listAttachedRolePolicies,
  listAttachedUserPolicies,
  listPolicies,
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
} from "./roles.ts";
import { simulatePrincipalPolicy } from "./simulate.ts";

const NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/";

const OPERATIONS = {
  AttachRolePolicy: attachRolePolicy,
  CreatePolicy: createPolicy,
  CreateRole: createRole,
  DeletePolicy: deletePolicy,
  DeleteRole: deleteRole,
  DeleteRolePermissionsBoundary: deleteRolePermissionsBoundary,
  DeleteRolePolicy: deleteRolePolicy,
  DetachRolePolicy: detachRolePolicy,
  GetPolicy: getPolicy,
  GetPolicyVersion: getPolicyVersion,
  GetRole: getRole,
  GetRolePolicy: getRolePolicy,
  GetUser: getUser,
  GetUserPolicy: getUserPolicy,
  ListAttachedRolePolicies: listAttachedRolePolicies,
  ListAttachedUserPolicies: listAttachedUserPolicies,
  ListPolicies: listPolicies,
  ListRolePolicies: listRolePolicies,
  ListRoles: listRoles,
  ListRoleTags: listRoleTags,
  ListUserPolicies: listUserPolicies,
  PutRolePermissionsBoundary: putRolePermissionsBoundary,
  PutRolePolicy: putRolePolicy,
  SimulatePrincipalPolicy: simulatePrincipalPolicy,
  TagRole: tagRole,
  UntagRole: untagRole,
  UpdateAssumeRolePolicy: updateAssumeRolePolicy,
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
