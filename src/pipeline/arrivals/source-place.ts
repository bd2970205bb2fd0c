/**
 * What polling needs of a place where files lie, whatever kind it is: to see what is there, to read a file that must not
 * change meanwhile, and to take it away afterwards. Names are bytes here; what they mean is not a place's business. What is
 * no plain file is never opened, and nothing is overwritten.
 */
import type { Buffer } from 'node:buffer';

export const doneFolder = '.headgate-done';
export const quarantineFolder = '.headgate-quarantine';

export interface SourceEntry {
  /** The name as it is there. */
  readonly bytes: Buffer;
  /** As text; exact unless its bytes are no UTF-8. */
  readonly name: string;
  readonly hasExactName: boolean;
  /** A plain file with one name, as far as the place tells. */
  readonly isPlain: boolean;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** What tells a file from a later one of its name, as far as the place tells. */
  readonly fingerprint: string;
}

export interface TakeAway {
  /** As it was when the verdict was made; another file of its name stays where it is. */
  readonly entry: SourceEntry;
  readonly arrivalId: string;
  /** With a mark it stays in its folder, under a name that ends with that. */
  readonly to: typeof doneFolder | typeof quarantineFolder | 'nowhere' | { readonly mark: string };
  /** Names of what goes with it, and before it: a marker that stayed would make the next file of the name look complete. */
  readonly companions: readonly string[];
}

/** A file that was to be removed and is not where it was any more. */
export type MovedFile = Pick<TakeAway, 'arrivalId'> & Pick<SourceEntry, 'fingerprint'>;

export interface Sight {
  readonly entries: SourceEntry[];
  /** Names of all that is there and no folder. */
  readonly names: Set<string>;
  /** How many names the source would take but can't: they can't be asked for at the place, or not be written down. */
  readonly passedOver: number;
}

/** What a file is asked for by. */
export type SourceName = Pick<SourceEntry, 'bytes' | 'name' | 'hasExactName'>;

/**
 * An opened place, for one poll. Synchronous where that is cheaper. Fails with E_SOURCE and E_SOURCE_PERMISSION for what is
 * about one file, with other codes where the place itself is of no use now.
 */
/** `special`: no plain file with one name; `large`: larger than is read; `closed`: it may not be opened. */
export type NotRead = 'missing' | 'special' | 'large' | 'changing' | 'closed';

export interface SourcePlace {
  /** Smaller files are read so many at once; bigger ones alone. */
  readonly readsAtOnce: number;
  /**
   * Of files that are not known yet, a place that lists without a bound of its own gives the oldest `newMax`: others wait for their turn.
   * The others fail where too many names are listed. Left out, there is no bound.
   */
  look(
    isWanted: (name: string) => boolean,
    bound?: { readonly isKnown: (name: string) => boolean; readonly newMax: number },
  ): Promise<Sight>;
  /** Undefined when it is not there, or is a folder. */
  lookAgain(name: SourceName): SourceEntry | undefined | Promise<SourceEntry | undefined>;
  /** Fails with E_FILE_CHANGED when the file is not what was seen, from before the first until after the last byte: then nothing that was read may be used. */
  read(
    entry: SourceEntry,
    /** Called behind the last byte, where the place keeps versions of files, with that which was read. */
    onVersion?: (version: string) => void,
  ): AsyncIterable<Uint8Array>;
  /** A small file, or why it is not read. */
  readBeside(name: string, bytesMax: number): Buffer | NotRead | Promise<Buffer | NotRead>;
  /**
   * As durable as the place can make it, once it resolves. Gives the arrivals in whose place another file went along: it took the
   * name in the last moment, and could not be put back because a third one has it.
   */
  takeAway(work: readonly TakeAway[]): Promise<readonly string[]>;
  /** Removes what `takeAway` moved to be deleted, and was ended before it could. Left out, it deletes in one step. */
  endTakeAway?(moved: readonly MovedFile[]): Promise<void>;
  close(): void;
}

/** Called between two steps of work that may be many: gives others their turn and keeps the lease. */
export type OnTurn = () => Promise<void>;
