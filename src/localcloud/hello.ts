// Where a local cloud that runs as a process of its own can be found. Said by serve.ts, read by the demo, which loads none of the cloud for it.
import * as z from "zod/mini";

/** The first line on stdout. The keys are pretend ones, good for this process only; `roleArn` is the role for an agent. */
export const localCloudHello = z.object({
  url: z.string(),
  port: z.number(),
  account: z.string(),
  region: z.string(),
  roleArn: z.string(),
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
});

export type LocalCloudHello = z.infer<typeof localCloudHello>;
