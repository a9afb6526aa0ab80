// What this machine is called, without its domain: that comes from the network that a laptop is in. Used where folders are shared with other machines.
import { hostname } from "node:os";

export const ownHost = (): string => hostname().replace(/[^\w-].*/s, "");
