/** A process that sees other files in /etc than the machine has. Ask `itWith('private-mounts')` first. */

/** Of `unshare`, before a command: what it mounts is there for it alone, and gone with it. */
export const privateMounts = ['--mount', '--propagation', 'private', '--'] as const;

/** A command that runs another with each file in the place of a file that is there. */
export function underMounts(files: Readonly<Record<string, string>>, command: string, args: readonly string[]) {
  const mounts = Object.entries(files).map(([place, file]) => `mount --bind '${file}' '${place}'`);
  return { command: 'unshare', args: [...privateMounts, 'sh', '-ec', `${mounts.join('\n')}\nexec "$0" "$@"`, command, ...args] };
}
