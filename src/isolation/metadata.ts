// Whether a cloud machine's metadata service answers here: whoever shares this network gets the machine's own role from it. Asked by daemon and doctor.
import { request } from "node:http";

/** EC2's addresses (user guide, "Access instance metadata"); Google Cloud and Azure use the first, too. */
const ADDRESSES = ["http://169.254.169.254", "http://[fd00:ec2::254]"];
/** It is on the same host and answers within a millisecond or two. */
const LIMIT_MS = 500;

/** What holds then at every level whose network is the machine's. */
export const METADATA_ANSWERS = "the machine's metadata service answers the agent too: whatever role the machine has, the agent has";
/** On a narrow bar: what stands before the colon. */
export const METADATA_CAVEAT = `metadata in reach: ${METADATA_ANSWERS}`;

/**
 * Gives the address that answers, or undefined. Any answer counts: a service that wants a token first gives one to whoever asks.
 * @param configured AWS_EC2_METADATA_SERVICE_ENDPOINT, where the human has it elsewhere
 */
export async function metadataService(configured: string | undefined): Promise<string | undefined> {
  const addresses = configured !== undefined && URL.canParse(configured) ? [configured] : ADDRESSES;
  const answers = await Promise.all(addresses.map(async (address) => ((await answersAt(address)) ? address : undefined)));
  return answers.find((address) => address !== undefined);
}

function answersAt(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = request(new URL("/latest/", address), { agent: false, timeout: LIMIT_MS }, (response) => {
      response.destroy();
      resolve(true);
    });
    const late = setTimeout(() => asking.destroy(), LIMIT_MS);
    late.unref();
    asking.on("timeout", () => asking.destroy());
    asking.on("error", () => resolve(false));
    asking.on("close", () => {
      clearTimeout(late);
      resolve(false);
    });
    asking.end();
  });
}
