/** The files with documents that commands read: named ones, YAML files of named folders, or `-` for stdin. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HeadgateError } from '../platform/base/errors.ts';
import { cliErrors } from './cli-errors.ts';
import { type Command, reportError } from './command.ts';
import { unreadable } from './run/plain-files.ts';
import { isUnwritten } from './stdout.ts';

export interface FlowFile {
  readonly file: string;
  readonly text: string;
}

/** In the order given; the files of a folder by name. Fails with E_USAGE when there is none, and when one can not be read. */
export function readFlowFiles(names: readonly string[], usage: string): FlowFile[] {
  if (names.length === 0) throw new HeadgateError(cliErrors.E_USAGE, `a file is missing (usage: ${usage})`);
  const files = names.flatMap((name) => (name !== '-' && isFolder(name) ? yamlFilesIn(name) : [name]));
  if (files.length === 0) throw new HeadgateError(cliErrors.E_USAGE, 'there are no .yaml files in these folders');
  return files.map((file) => ({ file, text: readText(file) }));
}

/** Files with a FlowTest: they lie beside flows, and are run by `flow test`. */
export const flowTestName = /\.flow\.test\.ya?ml$/;

function isFolder(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function yamlFilesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const isDocument = (fileName: string) => /\.ya?ml$/.test(fileName) && !flowTestName.test(fileName);
  const files = entries.filter((entry) => entry.isFile() && isDocument(entry.name)).map((entry) => join(entry.parentPath, entry.name));
  return files.sort();
}

function readText(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file === '-' ? 0 : file));
  } catch (cause) {
    if (cause instanceof TypeError) throw new HeadgateError(cliErrors.E_USAGE, `${file} is not UTF-8`, { cause });
    throw unreadable(file, cause);
  }
}

/** Offline commands only meet files and documents: whatever is thrown is about input, so the exit code is 2. */
export function offline(run: Command['run']): Command['run'] {
  return async (line) => {
    try {
      return await run(line);
    } catch (error) {
      const exitCode = reportError(error);
      return isUnwritten(error) ? exitCode : 2;
    }
  };
}
