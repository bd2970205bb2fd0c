/**
 * Manifests: a small file beside the file that says what it must be. Taken are the line of `sha256sum` (digest, then
 * optionally a name) and lines `sha256=`, `bytes=` and `name=`. What is named must agree; a digest must be there.
 */
import { isUtf8 } from 'node:buffer';

export const manifestBytesMax = 4 * 1024;

export interface Manifest {
  readonly sha256: string;
  readonly bytes: number | null;
  readonly name: string | null;
}

/** Null when it is none, or not yet: it may still be written. */
export function parseManifest(content: Uint8Array): Manifest | null {
  const read = readManifest(content);
  return typeof read === 'string' ? null : read;
}

/** Or what is wrong with it, in words that repeat nothing of it. */
export function readManifest(content: Uint8Array): Manifest | string {
  if (!isUtf8(content)) return 'it is not UTF-8';
  let sha256: string | null = null;
  let bytes: number | null = null;
  let name: string | null = null;
  for (const [index, line] of Buffer.from(content).toString('utf8').split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const sum = /^\\?([0-9a-fA-F]{64})(?:[ \t]+\*?(.+))?$/.exec(line);
    const pair = /^(sha256|bytes|name)[ \t]*[=:][ \t]*(.+)$/.exec(line);
    if (sum && sha256 === null) {
      sha256 = sum[1]!.toLowerCase();
      name ??= sum[2] ?? null;
    } else if (pair?.[1] === 'sha256' && sha256 === null && /^[0-9a-fA-F]{64}$/.test(pair[2]!.trim()))
      sha256 = pair[2]!.trim().toLowerCase();
    else if (pair?.[1] === 'bytes' && bytes === null && /^[0-9]{1,15}$/.test(pair[2]!.trim())) bytes = Number(pair[2]);
    else if (pair?.[1] === 'name' && name === null) name = pair[2]!.trim();
    else {
      const said = sum ? 'sha256' : (pair?.[1] as keyof Manifest | undefined);
      if (said === undefined) return `its line ${index + 1} is none that a manifest has`;
      const isAgain = { sha256, bytes, name }[said] !== null;
      return isAgain
        ? `its line ${index + 1} says \`${said}\` once more`
        : `its line ${index + 1} has a value that is none for \`${said}\``;
    }
  }
  if (sha256 !== null) return { sha256, bytes, name };
  return bytes === null && name === null ? 'it is empty' : 'it has no SHA-256';
}

/** What of the file differs from its manifest; null when all agrees. */
export function problemOfManifest(
  manifest: Manifest,
  file: { readonly sha256: string; readonly bytes: number; readonly name: string },
): string | null {
  if (manifest.bytes !== null && manifest.bytes !== file.bytes)
    return `the manifest says ${manifest.bytes} bytes, the file has ${file.bytes}`;
  if (manifest.sha256 !== file.sha256) return 'the SHA-256 of the file is not the one of its manifest';
  if (manifest.name !== null && manifest.name.replace(/^\.\//, '') !== file.name) return 'the manifest names another file';
  return null;
}
