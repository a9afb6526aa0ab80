// Carries a set-up's steps out, one after another. Called by cli/setup.ts with the human's own credentials.
import type { IAMClient } from "@aws-sdk/client-iam";
import { AgentRunError } from "../../core/error.ts";
import { explainFailure, readFailure } from "../failure.ts";
import type { Step } from "./steps.ts";

/** The operations that a plan may name; any other is a fault of ours. */
const OPERATIONS = [
  "AttachRolePolicy",
  "CreatePolicy",
  "CreatePolicyVersion",
  "CreateRole",
  "DeletePolicy",
  "DeletePolicyVersion",
  "DeleteRole",
  "DeleteRolePolicy",
  "DetachRolePolicy",
  "PutRolePermissionsBoundary",
  "TagPolicy",
  "TagRole",
  "UpdateAssumeRolePolicy",
  "UpdateRole",
] as const;

/** A principal that was just made is not known everywhere at once: IAM then calls the trust policy malformed (IAM user guide, troubleshooting). */
const NOT_YET_KNOWN = /^MalformedPolicyDocument/;
const TRIES = 4;
const PAUSE_MS = 2000;

/**
 * Does the steps in order and stops at the first that fails; a later run goes on from there.
 * @param done called after each step
 * @param sleep between the tries of a call that meets a principal that IAM does not know yet
 * @throws AgentRunError `restriction` for a missing permission, naming the action; else as `explainFailure`
 */
export async function applySteps(
  iam: IAMClient,
  steps: readonly Step[],
  done: (step: Step) => void,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  const sdk: Readonly<Record<string, unknown>> = await import("@aws-sdk/client-iam");
  for (const [index, step] of steps.entries()) {
    const Command = OPERATIONS.some((name) => name === step.operation) ? sdk[`${step.operation}Command`] : undefined;
    if (!isCommand(Command)) throw new AgentRunError("internal", `set-up knows no operation ${step.operation}`);
    try {
      await repeated(() => iam.send(new Command(step.input)), sleep);
    } catch (error) {
      throw await explained(error, iam, step, index, steps.length);
    }
    done(step);
  }
}

type AnyCommand = new (input: Readonly<Record<string, unknown>>) => Parameters<IAMClient["send"]>[0];

const isCommand = (value: unknown): value is AnyCommand => typeof value === "function";

async function repeated(call: () => Promise<unknown>, sleep: (ms: number) => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await call();
      return;
    } catch (error) {
      if (tries === TRIES || !NOT_YET_KNOWN.test(readFailure(error).name)) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

async function explained(error: unknown, iam: IAMClient, step: Step, index: number, count: number): Promise<AgentRunError> {
  const failure = readFailure(error);
  const where = `${step.summary}: step ${index + 1} of ${count}`;
  if (/^AccessDenied/.test(failure.name)) {
    return new AgentRunError("restriction", `${where}: iam:${step.operation} is not allowed to the base identity`, {
      hint: "run it again with an AWS profile that may (--aws-profile), or give an administrator the output of --output cloudformation",
    });
  }
  const told = await explainFailure(error, iam, `iam:${step.operation}`, "restriction");
  return new AgentRunError(told.code, `${where}: ${told.message}`, { hint: told.hint ?? "run it again: it goes on from here" });
}
