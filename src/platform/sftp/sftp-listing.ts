/**
 * Lists a folder with a few requests under way. A server decides how many names an answer has and when it is the last one, so the
 * names, the answers without any, and the time of it all have bounds.
 */
import { Buffer } from 'node:buffer';
import type { Clock } from '../base/ports.ts';
import { SftpFailure } from './sftp-failure.ts';
import type { PacketReader, SftpAttributes } from './sftp-packets.ts';

export interface SftpListed {
  readonly name: Buffer;
  readonly attributes: SftpAttributes;
}

export interface ListOptions {
  readonly namesMax: number;
  /** Awaited between two rounds of requests. */
  readonly onAnswer: () => Promise<void>;
}

const requestsAtOnce = 4;
/** More than a server has a reason for: the two dots, and an answer or two that came too early. */
const emptyAnswersMax = 32;
/** Enough for as many names as are listed, a hundred in an answer, where each takes a second. */
const listingMsMax = 300_000;

/** `next` asks for one answer more; null: there is none. Fails with an SftpFailure. */
export async function listNames(
  next: () => Promise<PacketReader | null>,
  { namesMax, onAnswer }: ListOptions,
  clock: Clock,
): Promise<SftpListed[]> {
  const listed: SftpListed[] = [];
  const startMs = clock.monotonicMs();
  let emptyAnswers = 0;
  for (;;) {
    const answers = await Promise.all(Array.from({ length: requestsAtOnce }, next));
    for (const names of answers) if (names !== null && addNames(listed, names) === 0) emptyAnswers += 1;
    if (listed.length > namesMax) throw new SftpFailure('failed', `the folder holds more than ${namesMax} names`);
    if (emptyAnswers > emptyAnswersMax) throw new SftpFailure('answer', 'the server lists a folder without names and without an end');
    await onAnswer();
    if (answers.includes(null)) return listed;
    if (clock.monotonicMs() - startMs > listingMsMax)
      throw new SftpFailure('timeout', `the server did not list the folder within ${listingMsMax / 1_000} s`);
  }
}

/** How many came. */
function addNames(listed: SftpListed[], names: PacketReader): number {
  const before = listed.length;
  for (let left = names.number(); left > 0; left--) {
    const name = Buffer.from(names.bytes());
    // What `ls -l` would show.
    names.bytes();
    const attributes = names.attributes();
    const text = name.toString('latin1');
    if (text !== '.' && text !== '..') listed.push({ name, attributes });
  }
  return listed.length - before;
}
