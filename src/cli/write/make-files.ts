/** `headgate write --make`: what a pack makes of files that there are. */
import { basename, dirname, extname, join } from 'node:path';
import type { PackMaker, PackSettings, PackWritten } from '../../pipeline/formats/pack.ts';
import { FileSource } from '../run/plain-files.ts';
import { documentPieces } from './document-source.ts';
import { openWrittenFile, type WrittenFile } from './written-file.ts';

export interface MakeRequest {
  readonly maker: PackMaker;
  readonly settings: PackSettings;
  readonly document: string | undefined;
  readonly paths: readonly string[];
  readonly out: string;
}

export interface MadeFile {
  readonly file: WrittenFile;
  readonly written: PackWritten;
}

/** The files have their names when it returns; what is refused leaves none. */
export async function makeFiles({ maker, settings, document, paths, out }: MakeRequest): Promise<readonly MadeFile[]> {
  const files: WrittenFile[] = [];
  try {
    const making = maker.createMaking(settings, {
      begin() {
        const file = openWrittenFile(numberedPath(out, files.length + 1));
        files.push(file);
        return file;
      },
    });
    if (document !== undefined) for await (const piece of documentPieces(document)) making.pushDocument(piece);
    for (const path of paths) {
      const source = new FileSource(path);
      try {
        making.beginFile(basename(path));
        for (const piece of source.pieces()) making.push(piece);
        making.endFile();
      } finally {
        source.close();
      }
    }
    const written = making.end();
    nameAll(files);
    return files.map((file, index) => ({ file, written: written[index]! }));
  } catch (error) {
    for (const file of files) file.discard();
    throw error;
  }
}

/** All have their names, or none: some of them alone would look like the whole. */
function nameAll(files: readonly WrittenFile[]): void {
  const named: WrittenFile[] = [];
  try {
    for (const file of files) {
      file.finish();
      named.push(file);
    }
  } catch (error) {
    for (const file of named) file.withdraw();
    throw error;
  }
}

/** `merged.ach`, `merged-2.ach`, … */
function numberedPath(path: string, number: number): string {
  if (number === 1) return path;
  const extension = extname(path);
  return join(dirname(path), `${basename(path, extension)}-${number}${extension}`);
}
