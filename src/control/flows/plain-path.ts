/** The path of a folder below the root of its connection, in its one form. At a server a leading slash stands for the root. */
export function plainPath(text: string): string {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  return parts.length === 0 ? '.' : parts.join('/');
}
