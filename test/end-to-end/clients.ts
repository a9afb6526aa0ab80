// The stock AWS clients, as shell lines that an agent runs: each asks who it is. Used by clients.test.ts.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { FIXTURES, ROOT } from "./world.ts";

export const VENV = join(ROOT, ".venv", "bin");
const ASK = "import boto3,os;print(boto3.client('sts',endpoint_url=os.environ['AWS_ENDPOINT_URL']).get_caller_identity()['Arn'])";
const WHO = "sts get-caller-identity --query Arn --output text";

/** Being installed is not enough: an interpreter may be out of an ordinary user's reach. */
const works = (line: string): boolean => spawnSync("/bin/sh", ["-c", line], { stdio: "ignore" }).status === 0;

interface Client {
  readonly name: string;
  /** What to install where it is missing. */
  readonly needs: string;
  readonly there: boolean;
  /** Prints the caller's ARN; rclone, which has no such call, the names of a bucket's objects. */
  readonly line: string;
}

/** Clients of before 2023 know no AWS_ENDPOINT_URL: those are told the endpoint. All else they find by themselves. */
export const clients: readonly Client[] = [
  {
    name: "Debian's aws",
    needs: "/usr/bin/aws, apt-get install awscli",
    there: works("/usr/bin/aws --version"),
    line: `/usr/bin/aws ${WHO} --endpoint-url "$AWS_ENDPOINT_URL"`,
  },
  {
    name: "aws-cli of PyPI",
    needs: ".venv/bin/aws, pip install awscli",
    there: works(`${VENV}/aws --version`),
    line: `${VENV}/aws ${WHO}`,
  },
  {
    name: "Debian's boto3",
    needs: "boto3 of /usr/bin/python3, apt-get install python3-boto3",
    there: works('/usr/bin/python3 -c "import boto3"'),
    line: `/usr/bin/python3 -c "${ASK}"`,
  },
  {
    name: "boto3 of PyPI",
    needs: "boto3 of .venv/bin/python, pip install boto3",
    there: works(`${VENV}/python -c 'import boto3'`),
    line: `${VENV}/python -c "${ASK.replace("endpoint_url=os.environ['AWS_ENDPOINT_URL']", "")}"`,
  },
  { name: "the AWS SDK for JavaScript", needs: "", there: true, line: `node ${join(FIXTURES, "prints-identity.mjs")}` },
  {
    name: "version 2 of the AWS SDK for JavaScript",
    needs: "npm run oracle:agents",
    there: existsSync(join(ROOT, ".cache", "oracle-agents", "node_modules", "aws-sdk")),
    line: `AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE=1 node ${join(FIXTURES, "prints-identity-v2.cjs")}`,
  },
  {
    name: "rclone",
    needs: "rclone, apt-get install rclone",
    there: works("rclone version"),
    line: `rclone -q lsf --retries 1 --s3-provider Other --s3-env-auth --s3-endpoint "$AWS_ENDPOINT_URL" --s3-force-path-style :s3:acme-website`,
  },
];
