// IAM's own policy simulator, one request at a time. Called by `agent-run policy test --live`; restriction.ts asks it in bulk.
import type { ContextKeyTypeEnum, IAMClient } from "@aws-sdk/client-iam";
import type { Outcome, PolicyRequest } from "../policy/types.ts";

/** AWS's types of condition keys, as the simulator spells them. */
const TYPES: Readonly<Record<string, ContextKeyTypeEnum>> = {
  String: "string",
  ArrayOfString: "stringList",
  ARN: "string",
  ArrayOfARN: "stringList",
  Numeric: "numeric",
  Bool: "boolean",
  ArrayOfBool: "booleanList",
  Date: "date",
  IPAddress: "ip",
};

/**
 * What a role's own policies and boundary say to a request; the simulator knows no session policy (IAM API reference, SimulatePrincipalPolicy).
 * @param keyType AWS's type of a condition key, from the catalogue
 * @throws what the SDK throws
 */
export async function simulateRole(
  iam: IAMClient,
  roleArn: string,
  { action, resource, context }: PolicyRequest,
  keyType: (key: string) => string | undefined,
  abortSignal: AbortSignal,
): Promise<Outcome> {
  const { SimulatePrincipalPolicyCommand } = await import("@aws-sdk/client-iam");
  const { EvaluationResults } = await iam.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: roleArn,
      ActionNames: [action],
      ResourceArns: [resource],
      ContextEntries: Object.entries(context).map(([ContextKeyName, value]) => ({
        ContextKeyName,
        ContextKeyValues: [value].flat(),
        ContextKeyType: TYPES[keyType(ContextKeyName) ?? ""] ?? (typeof value === "string" ? "string" : "stringList"),
      })),
    }),
    { abortSignal },
  );
  const decision = EvaluationResults?.[0]?.EvalDecision;
  return decision === "allowed" || decision === "explicitDeny" ? decision : "implicitDeny";
}
