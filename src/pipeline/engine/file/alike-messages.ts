/** Many findings of one kind as one sentence, for whoever reads why a file is held or rejected. */

const quotedName = /"(?:[^"\\]|\\.)*"/;

/** Messages that differ in their first quoted name alone, such as those of missing columns, become one with all the names. */
export function mergeAlike(messages: readonly string[]): string[] {
  const namesByRest = new Map<string, string[]>();
  for (const message of messages) {
    const name = quotedName.exec(message)?.[0];
    const rest = name === undefined ? message : message.replace(quotedName, '\0');
    namesByRest.set(rest, [...(namesByRest.get(rest) ?? []), ...(name === undefined ? [] : [name])]);
  }
  return [...namesByRest].map(([rest, names]) => rest.replace('\0', () => names.join(', ')));
}
