/**
 * A folder of an SFTP server as a place to poll. What SFTP tells of a file is its size and the second of its change: they are
 * what tells files apart here. A read that loses its connection goes on, over another connection, behind the last piece that
 * was given, if the file is still what it was. Moves are as durable as the server makes them: SFTP can not ask for more.
 */
import { Buffer } from 'node:buffer';
import { forEachAtOnce } from '../../../platform/base/at-once.ts';
import { HeadgateError } from '../../../platform/base/errors.ts';
import type { Clock } from '../../../platform/base/ports.ts';
import { readAhead } from '../../../platform/sftp/read-ahead.ts';
import { pathIn } from '../../../platform/sftp/remote-paths.ts';
import { SftpFailure } from '../../../platform/sftp/sftp-failure.ts';
import type { SftpListed } from '../../../platform/sftp/sftp-listing.ts';
import type { SftpAttributes } from '../../../platform/sftp/sftp-packets.ts';
import type { SftpSession } from '../../../platform/sftp/sftp-session.ts';
import { arrivalErrors } from '../arrival-errors.ts';
import { textOfName } from '../file-name.ts';
import type { OnTurn, SourceEntry, SourcePlace } from '../source-place.ts';
import { isFailure, sourceFailure, withSourceFailures } from './sftp-failures.ts';
import { assertName, fingerprintOf } from './sftp-paths.ts';
import { removeMoved, takeAwayAll } from './sftp-take-away.ts';

export interface SftpPlaceOptions {
  readonly session: SftpSession;
  /** Another connection, where the first was lost. */
  readonly reopen: () => Promise<SftpSession>;
  /** Real path of the folder. */
  readonly folder: Buffer;
  readonly onTurn: OnTurn;
  readonly clock: Clock;
  /** Given the session that was used last. */
  readonly onClose: (session: SftpSession) => void;
}

const namesMax = 100_000;
const readsAtOnce = 8;
const looksAtOnce = 16;
/** Of a server that does not tell sizes and times in its list: each file is asked for by itself. */
const lookMsMax = 600_000;
/** Of one poll. */
const reopensMax = 5;

export function createSftpPlace(options: SftpPlaceOptions): SourcePlace {
  const { folder, onTurn, clock } = options;
  let session = options.session;
  let reopening: Promise<SftpSession> | undefined;
  let reopensLeft = reopensMax;

  /** One for all readers that lost the last. */
  async function soundSession(): Promise<SftpSession> {
    if (!session.isBroken) return session;
    if (reopening === undefined) {
      if (reopensLeft-- <= 0) throw new HeadgateError(arrivalErrors.E_SOURCE_LOST, 'the connection was lost too often in one poll');
      reopening = options.reopen().finally(() => {
        reopening = undefined;
      });
    }
    session = await reopening;
    return session;
  }

  async function* read(entry: SourceEntry): AsyncGenerator<Uint8Array> {
    const path = pathIn(folder, entry.bytes);
    for (let position = 0, lostAt = -1; ; ) {
      try {
        for await (const piece of readFrom(await soundSession(), { path, entry, from: position })) {
          position += piece.length;
          yield piece;
        }
        return;
      } catch (error) {
        const isResumed = isFailure(error, 'lost') || (isFailure(error, 'timeout') && position > lostAt);
        if (!isResumed) throw sourceFailure(error, 'read a file');
        lostAt = position;
        await onTurn();
      }
    }
  }

  return {
    readsAtOnce,
    look: (isWanted) =>
      withSourceFailures('list a folder', async () => {
        const startMs = clock.monotonicMs();
        const listed = (await session.list(folder, { namesMax, onAnswer: onTurn })).filter(
          ({ attributes }) => attributes.kind !== 'folder',
        );
        const names = new Set<string>();
        const wanted: { found: SftpListed; name: string; isExact: boolean }[] = [];
        let passedOver = 0;
        for (const found of listed) {
          assertName(found.name);
          const { text: name, isExact } = textOfName(found.name);
          // Nothing can be asked for by it, and it can't be written down.
          if (found.name.includes(0)) {
            if (isWanted(name)) passedOver += 1;
            continue;
          }
          names.add(name);
          if (isWanted(name)) wanted.push({ found, name, isExact });
        }
        const entries: SourceEntry[] = [];
        await forEachAtOnce(wanted, looksAtOnce, async ({ found, name, isExact }) => {
          const { isPartial } = found.attributes;
          if (isPartial && clock.monotonicMs() - startMs > lookMsMax) {
            session.end();
            throw new SftpFailure('timeout', `the server did not tell of all files within ${lookMsMax / 1_000} s`);
          }
          const attributes = isPartial ? await session.lookAt(pathIn(folder, found.name)) : found.attributes;
          if (attributes && attributes.kind !== 'folder')
            entries.push(entryOf({ bytes: found.name, name, hasExactName: isExact }, attributes));
        });
        return { entries, names, passedOver };
      }),
    lookAgain: (entry) =>
      withSourceFailures('look at a file', async () => {
        const attributes = await session.lookAt(pathIn(folder, entry.bytes));
        return attributes === undefined || attributes.kind === 'folder' ? undefined : entryOf(entry, attributes);
      }),
    read,
    readBeside: (name, bytesMax) =>
      withSourceFailures('read a manifest', async () => {
        const path = pathIn(folder, Buffer.from(name));
        const sound = await soundSession();
        const attributes = await sound.lookAt(path);
        if (attributes === undefined) return 'missing';
        if (attributes.kind !== 'file') return 'special';
        if (attributes.sizeBytes > bytesMax) return 'large';
        const entry = entryOf({ bytes: Buffer.from(name), name, hasExactName: true }, attributes);
        const pieces: Uint8Array[] = [];
        try {
          for await (const piece of readFrom(sound, { path, entry, from: 0 })) pieces.push(piece);
        } catch (error) {
          // It is being written: read again by the next poll.
          if (error instanceof HeadgateError && error.code === arrivalErrors.E_FILE_CHANGED) return 'changing';
          throw error;
        }
        return Buffer.concat(pieces);
      }),
    takeAway: (works) => withSourceFailures('move or delete a file', () => takeAwayAll({ session, folder, onTurn }, works)),
    endTakeAway: (moved) => withSourceFailures('move or delete a file', () => removeMoved({ session, folder, onTurn }, moved)),
    close: () => options.onClose(session),
  };
}

/** Links are followed by the server, so what was opened must be what lies there, before and after. */
async function* readFrom(
  session: SftpSession,
  { path, entry, from }: { readonly path: Buffer; readonly entry: SourceEntry; readonly from: number },
): AsyncGenerator<Uint8Array> {
  const file = await session.open(path).catch((error: unknown) => {
    throw isFailure(error, 'missing') ? changed() : error;
  });
  try {
    assertUnchanged(entry, await file.attributes());
    yield* readAhead(file, { from, sizeBytes: entry.sizeBytes, onOtherSize: changed });
    const [opened, named] = await Promise.all([file.attributes(), session.lookAt(path)]);
    assertUnchanged(entry, opened);
    assertUnchanged(entry, named);
  } finally {
    void file.close();
  }
}

function assertUnchanged(entry: SourceEntry, attributes: SftpAttributes | undefined): void {
  if (attributes?.kind !== 'file' || fingerprintOf(attributes) !== entry.fingerprint) throw changed();
}

function changed(): HeadgateError {
  return new HeadgateError(arrivalErrors.E_FILE_CHANGED, 'the file changed while it was read');
}

function entryOf(
  { bytes, name, hasExactName }: Pick<SourceEntry, 'bytes' | 'name' | 'hasExactName'>,
  attributes: SftpAttributes,
): SourceEntry {
  const { kind, sizeBytes, modifiedMs } = attributes;
  return { bytes, name, hasExactName, isPlain: kind === 'file', sizeBytes, modifiedMs, fingerprint: fingerprintOf(attributes) };
}
