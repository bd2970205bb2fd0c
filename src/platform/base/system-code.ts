/** The code of what the operating system refused. The runtime has names for most of these, and calls the others unknown: they are told by their numbers on Linux. */

const unnamed: ReadonlyMap<number, string> = new Map([
  [116, 'ESTALE'],
  [117, 'EUCLEAN'],
  [122, 'EDQUOT'],
]);

/** Undefined for what is no system error. */
export function systemCode(error: unknown): string | undefined {
  const { code, errno } = (error ?? {}) as { readonly code?: unknown; readonly errno?: unknown };
  if (typeof code !== 'string') return undefined;
  const isUnnamed = code === 'UNKNOWN' || code.startsWith('Unknown system error');
  if (isUnnamed && typeof errno === 'number') return unnamed.get(-errno) ?? `E${-errno}`;
  return code;
}
