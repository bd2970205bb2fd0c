/** Paths of archive members. Only the last part is used, as the name of a file; the folders before it must lead down and nowhere else. */
import { UnpackError } from './unpack-problem.ts';

const partsMax = 32;

/** Of a file, or of a folder with its slash, below `root`. Fails with an UnpackError where it is no plain way down. */
export function nameOfMember(path: string, root = ''): string {
  if (path === root && root !== '') return path;
  const below = path.startsWith(root) ? path.slice(root.length) : path;
  const parts = below.replace(/\/$/, '').split('/');
  const isPlain = parts.length <= partsMax && parts.every((part) => part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part));
  if (!isPlain) throw new UnpackError('name', 'the path of a member leads out of the archive, or is not plain');
  return parts.at(-1)!;
}
