/**
 * What a probe of a blob target does in its folder: asks for an object, makes it, reads it back and takes it
 * away. Credentials that may not read are well as long as deliveries read nothing: what they may not do is said.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Blob, BlobContainer } from '../../../platform/blob/blob-container.ts';
import { BlobFailure } from '../../../platform/blob/blob-failure.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { BlobSettings } from './blob-settings.ts';

const probeBytes = Buffer.from('headgate probe\n');

/** What was seen, as a sentence. Fails with a BlobFailure, with E_TARGET_ANSWER, and with E_TARGET_SETUP where deliveries must read. */
export async function probeContainer(container: BlobContainer, name: string, readBack: BlobSettings['readBack']): Promise<string> {
  await askFor(container, name);
  await container.create(name, probeBytes);
  const made = await container.look(name);
  if (made === undefined) return 'an object could be made, and was gone when it was looked for';
  let canRead: boolean;
  try {
    canRead = await isSame(container, made);
    if (!canRead && readBack === 'hash')
      throw new HeadgateError(connectorErrors.E_TARGET_SETUP, 'an object could be made, but may not be read back (readBack: hash)');
  } catch (error) {
    await container.remove(made).catch(() => {});
    throw error;
  }
  await container.remove(made);
  return canRead ? 'an object could be made, read back and removed' : 'an object could be made and removed; it may not be read back';
}

/**
 * Where objects may not be asked for at all nothing is made: it could not be taken away. By reading, because services say only of
 * that whether they refuse the credentials or the right.
 */
async function askFor(container: BlobContainer, name: string): Promise<void> {
  try {
    await container.read({ name, etag: '"none"' }, { from: 0, bytes: 1 });
  } catch (error) {
    if (!(error instanceof BlobFailure && (error.kind === 'missing' || error.kind === 'changed'))) throw error;
  }
}

/** False: the service does not allow to read it. Fails with E_TARGET_ANSWER when it is another. */
async function isSame(container: BlobContainer, made: Blob): Promise<boolean> {
  try {
    const isSameSize = made.bytes === probeBytes.length;
    if (isSameSize && (await container.read(made, { from: 0, bytes: made.bytes })).equals(probeBytes)) return true;
  } catch (error) {
    if (error instanceof BlobFailure && error.kind === 'forbidden') return false;
    throw error;
  }
  throw new HeadgateError(connectorErrors.E_TARGET_ANSWER, 'the service gives back other bytes than it took');
}
