/**
 * What a probe of an SFTP target does in its folder: lists it, writes a small file, reads that back and takes it away. An account
 * that may write and no more is well as long as deliveries ask for no more: what it may not do is said.
 */
import { HeadgateError } from '../../../platform/base/errors.ts';
import { readAhead } from '../../../platform/sftp/read-ahead.ts';
import { SftpFailure } from '../../../platform/sftp/sftp-failure.ts';
import type { SftpSession } from '../../../platform/sftp/sftp-session.ts';
import { connectorErrors } from '../connector-errors.ts';
import type { SftpSettings } from './sftp-settings.ts';

const probeBytes = Buffer.from('headgate probe\n');

export interface ProbedFolder {
  readonly folder: Buffer;
  /** Where nothing is. */
  readonly path: Buffer;
  readonly readBack: SftpSettings['readBack'];
}

/** What was seen, as a sentence. Fails with an SftpFailure, with E_TARGET_ANSWER, and with E_TARGET_SETUP where deliveries must read. */
export async function probeFolder(sftp: SftpSession, { folder, path, readBack }: ProbedFolder): Promise<string> {
  const canList = await isAllowed(() => listBeginning(sftp, folder));
  const upload = await sftp.create(path);
  let canRead: boolean;
  try {
    await upload.append(probeBytes);
    await upload.finish();
    canRead = await isAllowed(() => compare(sftp, path));
    if (!canRead && readBack === 'hash')
      throw new HeadgateError(
        connectorErrors.E_TARGET_SETUP,
        'the folder takes a file, but the user may not read it back (readBack: hash)',
      );
  } catch (error) {
    if (!sftp.isBroken) await sftp.remove(path).catch(() => {});
    throw error;
  }
  await sftp.remove(path);
  const seen = `the folder takes a file${canRead ? ' and gives it back' : ''}`;
  const missing = [...(canRead ? [] : ['read it back']), ...(canList ? [] : ['list the folder'])];
  return missing.length === 0 ? `${seen}, and can be listed` : `${seen}; the user may not ${missing.join(' or ')}`;
}

/** Not all of it: a folder of a partner may hold very much. */
async function listBeginning(sftp: SftpSession, folder: Buffer): Promise<void> {
  const enough = new Error('enough');
  const onAnswer = async () => {
    throw enough;
  };
  try {
    await sftp.list(folder, { namesMax: Number.POSITIVE_INFINITY, onAnswer });
  } catch (error) {
    if (error !== enough) throw error;
  }
}

async function compare(sftp: SftpSession, path: Buffer): Promise<void> {
  const differs = new HeadgateError(connectorErrors.E_TARGET_ANSWER, 'the folder gives back other bytes than it took');
  const file = await sftp.open(path);
  try {
    const pieces: Buffer[] = [];
    for await (const piece of readAhead(file, { from: 0, sizeBytes: probeBytes.length, onOtherSize: () => differs })) pieces.push(piece);
    if (!Buffer.concat(pieces).equals(probeBytes)) throw differs;
  } finally {
    await file.close();
  }
}

/** False: the server refused. Version 3 has few words, and servers that hide files say that there are none. */
async function isAllowed(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof SftpFailure && !error.isOfConnection) return false;
    throw error;
  }
}
