/**
 * The files that `headgate run` leaves in its folder. They grow under a temporary name and get their own name only when
 * the file's verdict is known, so a folder never shows outputs of a file that was not accepted, or half of them. What an
 * earlier run left under these names goes at the start, so that a run that fails does not leave another's outputs.
 */
import { closeSync, ftruncateSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentPreamble } from '../../pipeline/engine/bodies/body-writer.ts';
import type { BodyPlan, Plan } from '../../pipeline/engine/plan.ts';
import { HeadgateError } from '../../platform/base/errors.ts';
import { makeFolder } from '../../platform/base/make-folder.ts';
import { unwritable, writable } from './plain-files.ts';
import { runErrors } from './run-errors.ts';

const extensions: Readonly<Record<BodyPlan['format'], string>> = { ndjson: 'ndjson', csv: 'csv', 'fixed-width': 'txt' };

/** One file that is being written. */
export class OutputFile {
  readonly path: string;
  readonly #partPath: string;
  readonly #folder: string;
  readonly #name: string;
  #descriptor: number;
  bytes = 0;

  /** `partName`: while it grows. */
  constructor(folder: string, name: string, partName = `${name}.part`) {
    this.#folder = folder;
    this.#name = name;
    this.path = join(folder, name);
    this.#partPath = join(folder, partName);
    this.#descriptor = writable(this.path, () => openSync(this.#partPath, 'w+'));
  }

  write(bytes: Uint8Array): void {
    writable(this.path, () => {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done, bytes.length - done);
    });
    this.bytes += bytes.length;
  }

  /** Another thread writes so many bytes at the offset that is returned. */
  reserve(bytes: number): number {
    const offset = this.bytes;
    this.bytes += bytes;
    return offset;
  }

  /** For writes that this thread does not wait for. */
  get descriptor(): number {
    return this.#descriptor;
  }

  /** What is written so far can be read while the file is open. */
  get partPath(): string {
    return this.#partPath;
  }

  empty(): void {
    writable(this.path, () => ftruncateSync(this.#descriptor, 0));
    this.bytes = 0;
  }

  /** Replaces what is written so far by the given parts, which may be read from it. */
  rewrite(parts: Iterable<Uint8Array>): void {
    const other = new OutputFile(this.#folder, `${this.#name}.rewritten`);
    for (const bytes of parts) other.write(bytes);
    writable(this.path, () => {
      closeSync(this.#descriptor);
      renameSync(other.#partPath, this.#partPath);
    });
    this.#descriptor = other.#descriptor;
    this.bytes = other.bytes;
  }

  /** Leaves nothing of the file. */
  discard(): void {
    writable(this.path, () => {
      closeSync(this.#descriptor);
      rmSync(this.#partPath, { force: true });
    });
  }

  /** Gives the file its name. */
  finish(): void {
    writable(this.path, () => {
      closeSync(this.#descriptor);
      renameSync(this.#partPath, this.path);
    });
  }
}

export interface OutputFiles {
  readonly folder: string;
  readonly targets: readonly OutputFile[];
  readonly rejections: OutputFile;
  readonly outcomes: OutputFile;
  /** Resolves when the folder is free of an earlier run's files; before that no file may be finished. */
  readonly cleared: Promise<void>;
}

/** What a pack makes of the file. */
export const recordsName = 'records.ndjson';
const rejectionsName = 'rejections.ndjson';
const outcomesName = 'outcomes.bin';
const documents = ['outcomes.json', 'receipt.json', recordsName];

/** Fails with E_OUTPUT_FOLDER, also where a file of the run would take the place of its input. */
export function createOutputFiles(folder: string, plan: Plan, input: string): OutputFiles {
  const names = targetNames(plan);
  assertApart(input, folder, [...names, rejectionsName, outcomesName, ...documents]);
  writable(folder, () => makeFolder(folder));
  const targets = names.map((name) => new OutputFile(folder, name));
  for (const [index, file] of targets.entries()) file.write(segmentPreamble(plan, index));
  const rejections = new OutputFile(folder, rejectionsName);
  const outcomes = new OutputFile(folder, outcomesName);
  const cleared = removeOld(folder, [...targets, rejections, outcomes]);
  // Awaited at the end of the run; until then a failure is nobody's unhandled rejection.
  cleared.catch(() => {});
  return { folder, targets, rejections, outcomes, cleared };
}

/** After the targets; one whose file would have the name of another of the run's has `target-` in front. */
function targetNames({ targets }: Plan): string[] {
  const taken = new Set([rejectionsName, recordsName]);
  return targets.map(({ id, body }) => {
    let name = `${id}.${extensions[body.format]}`;
    while (taken.has(name)) name = `target-${name}`;
    taken.add(name);
    return name;
  });
}

/** What is there under a name goes at the start, also while it is read. */
function assertApart(input: string, folder: string, names: readonly string[]): void {
  const read = statSync(input, { throwIfNoEntry: false });
  const isInput = (path: string) => {
    const there = statSync(path, { throwIfNoEntry: false });
    return read !== undefined && there?.ino === read.ino && there.dev === read.dev;
  };
  const path = names.flatMap((name) => [join(folder, name), join(folder, `${name}.part`)]).find(isInput);
  if (path === undefined) return;
  throw new HeadgateError(runErrors.E_OUTPUT_FOLDER, `${path} is the file that is read, and a file of the run would take its place`, {
    next: 'Choose another folder with --out.',
  });
}

/** Beside the run: freeing the blocks of big files takes as long as some hundred thousand records. */
async function removeOld(folder: string, files: readonly OutputFile[]): Promise<void> {
  const paths = [...files.map(({ path }) => path), ...documents.map((name) => join(folder, name))];
  try {
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

export function writeDocument(folder: string, name: string, document: unknown): void {
  const path = join(folder, name);
  writable(path, () => writeFileSync(path, `${JSON.stringify(document)}\n`));
}
