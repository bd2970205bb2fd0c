/** Line ends of ACH files by the names that documents and settings have for them. */
export const lineEnds = { LF: '\n', CRLF: '\r\n', CR: '\r', none: '' } as const;

export type LineEndName = keyof typeof lineEnds;

export const lineEndNames = Object.keys(lineEnds) as readonly LineEndName[];

/** Null: the text is no line end. */
export function lineEndName(text: string): LineEndName | null {
  return lineEndNames.find((name) => lineEnds[name] === text) ?? null;
}
