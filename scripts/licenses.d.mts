// The types of licenses.mjs, for its test.
export function thirdPartyLicenses(
  root: string,
  metafiles: readonly {
    readonly outputs: Readonly<Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>>;
  }[],
  data?: readonly string[],
): string;
