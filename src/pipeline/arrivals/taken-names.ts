/**
 * Where a file goes that is taken away, and what it is called there: its own name, with the mark of its source behind it where it
 * stays in its folder. Where that name is taken, or would be too long, the arrival's id is in it.
 */
import { Buffer } from 'node:buffer';
import { nameBytesMax } from './file-name.ts';
import { doneFolder, type TakeAway } from './source-place.ts';

/** The folder beside the file; null where it stays in its own. What is deleted is moved there first. */
export function folderFor(to: TakeAway['to']): string | null {
  if (typeof to === 'object') return null;
  return to === 'nowhere' ? doneFolder : to;
}

/** Of the file, or of what lies beside it, by its name; `unique` for where `own` is taken. */
export function takenNames(
  name: Buffer,
  work: Pick<TakeAway, 'entry' | 'to' | 'arrivalId'>,
): { readonly own: Buffer; readonly unique: Buffer } {
  const { entry, to, arrivalId } = work;
  const mark = typeof to === 'object' ? to.mark : '';
  const own = Buffer.concat([name, Buffer.from(mark)]);
  const suffixed = Buffer.concat([name, Buffer.from(`.${arrivalId}${mark}`)]);
  // What lies beside the file must not get the name of the file.
  const ending = name.equals(entry.bytes) ? Buffer.alloc(0) : name.subarray(Buffer.byteLength(entry.name));
  const unique = suffixed.length <= nameBytesMax ? suffixed : Buffer.concat([Buffer.from(arrivalId), ending, Buffer.from(mark)]);
  return { own: mark !== '' && own.length > nameBytesMax ? unique : own, unique };
}
