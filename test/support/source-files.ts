/** Reads the project's sources as data, so that rules can be checked over real and planted files alike. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** Path from the project's root, with slashes → text. */
export type SourceFiles = ReadonlyMap<string, string>;

const projectRoot = join(import.meta.dirname, '../..');
const sourceFolders = ['src', 'test', 'scripts', 'bench'];

export function readSourceFiles(): SourceFiles {
  const files = new Map<string, string>();
  for (const folder of sourceFolders) {
    for (const entry of listFiles(join(projectRoot, folder))) {
      const path = entry.slice(projectRoot.length + 1);
      if (/\.(ts|sql)$/.test(path) && !/node_modules|\/golden\//.test(path)) files.set(path, readFileSync(entry, 'utf8'));
    }
  }
  return files;
}

function listFiles(folder: string): string[] {
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    if (entry.name === 'node_modules' || entry.name === 'data') return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? listFiles(path) : [path];
  });
}

/** Every module that a file names: static, type-only, re-exported and dynamic imports. */
export function importsOf(text: string): string[] {
  const code = withoutComments(text);
  const found = new Set<string>();
  for (const pattern of [
    /^\s*(?:import|export)\b[^'"`;()]*?\bfrom\s*'([^']+)'/gm,
    /^\s*import\s*'([^']+)'/gm,
    /\bimport\(\s*'([^']+)'\s*\)/g,
  ]) {
    for (const match of code.matchAll(pattern)) found.add(match[1]!);
  }
  return [...found];
}

/** The path a relative import of `from` leads to; undefined for a package or a node: module. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined;
}

/** Blanks comments and keeps line numbers; text in quotes stays. */
export function withoutComments(text: string): string {
  return text.replace(/('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (match, quoted) =>
    quoted === undefined ? match.replace(/[^\n]/g, ' ') : match,
  );
}

export function folderOf(path: string): string {
  return dirname(path);
}
