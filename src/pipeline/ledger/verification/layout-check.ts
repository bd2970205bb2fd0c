/** Holds the files of an export against its manifest and against what the receipt names, by size and hash. */
import { canonicalJson } from '../canonical-json.ts';
import { chunkFiles, expectedFiles, exportFiles } from '../export/export-layout.ts';
import type { Receipt, SegmentIdentity } from '../receipt.ts';
import { type ExportReader, type FileFacts, readWhole } from './export-reader.ts';
import type { VerificationCode } from './verification-errors.ts';
import type { VerificationLog } from './verification-report.ts';

/** Returns the job that the manifest names; null without a manifest. */
export function checkLayout(reader: ExportReader, files: ReadonlyMap<string, FileFacts>, log: VerificationLog): string | null {
  const at = exportFiles.manifest;
  const manifest = files.has(at) ? readManifest(readWhole(reader, at)) : null;
  log.check('manifest', manifest === null ? { code: 'E_VERIFY_MANIFEST', at, message: 'it is missing or malformed' } : null);
  if (manifest === null) return null;
  const { listed, jobId } = manifest;
  for (const [name, facts] of listed) {
    const found = files.get(name);
    const isSame = isStated(found, facts);
    log.check(
      'manifest',
      isSame
        ? null
        : { code: 'E_VERIFY_MANIFEST', at: name, message: found === undefined ? 'the file is missing' : 'the file is not the listed one' },
    );
  }
  for (const name of files.keys()) {
    if (name !== at && !listed.has(name))
      log.check('manifest', { code: 'E_VERIFY_LAYOUT', at: name, message: 'the manifest does not list it' });
  }
  return jobId;
}

/** Null unless the bytes are a manifest in canonical form, files in order, each once. */
function readManifest(bytes: Buffer): { readonly jobId: string; readonly listed: Map<string, FileFacts> } | null {
  try {
    const manifest = JSON.parse(bytes.toString('utf8')) as {
      exportVersion: number;
      jobId: string;
      files: ({ path: string } & FileFacts)[];
    };
    const { exportVersion, jobId, files } = manifest;
    const clean = files.map(({ path, bytes: size, sha256 }) => ({ path, bytes: size, sha256 })).sort((a, b) => (a.path < b.path ? -1 : 1));
    if (![jobId, ...files.map(({ path }) => path)].every((text) => typeof text === 'string')) return null;
    const isSound = exportVersion === 1 && canonicalJson({ exportVersion, jobId, files: clean }) === bytes.toString('utf8');
    const listed = new Map(clean.map(({ path, ...facts }) => [path, facts]));
    return isSound && listed.size === clean.length ? { jobId, listed } : null;
  } catch {
    return null;
  }
}

export function checkNamedParts(receipt: Receipt, files: ReadonlyMap<string, FileFacts>, log: VerificationLog): void {
  const expected = new Set(expectedFiles(receipt));
  for (const name of expected) {
    log.check('layout', files.has(name) ? null : { code: 'E_VERIFY_LAYOUT', at: name, message: 'the receipt names it and it is missing' });
  }
  for (const name of files.keys()) {
    const isExpected = expected.has(name) || name === exportFiles.manifest;
    log.check('layout', isExpected ? null : { code: 'E_VERIFY_LAYOUT', at: name, message: 'the receipt does not name it' });
  }
  const { member, container } = receipt.file;
  checkPart({ name: exportFiles.member, stated: member, code: 'E_VERIFY_FILE' }, files, log);
  if (expected.has(exportFiles.container)) checkPart({ name: exportFiles.container, stated: container, code: 'E_VERIFY_FILE' }, files, log);
  checkPart({ name: exportFiles.definition, stated: receipt.definition, code: 'E_VERIFY_FLOW' }, files, log);
  checkPart({ name: exportFiles.batches, stated: receipt.batches, code: 'E_VERIFY_BATCHES' }, files, log);
  if (receipt.exclusions !== null)
    checkPart({ name: exportFiles.exclusions, stated: receipt.exclusions, code: 'E_VERIFY_SEGMENT' }, files, log);
  for (const { number, outcomes, rejections, outputs } of receipt.chunks) {
    const names = chunkFiles(number);
    checkPart({ name: names.outcomes, stated: outcomes, code: 'E_VERIFY_SEGMENT' }, files, log);
    if (rejections !== null) checkPart({ name: names.rejections, stated: rejections, code: 'E_VERIFY_SEGMENT' }, files, log);
    outputs.forEach((output, target) => {
      if (output !== null) checkPart({ name: names.output(target), stated: output, code: 'E_VERIFY_SEGMENT' }, files, log);
    });
  }
}

function checkPart(
  part: { readonly name: string; readonly stated: SegmentIdentity; readonly code: VerificationCode },
  files: ReadonlyMap<string, FileFacts>,
  log: VerificationLog,
): void {
  const isSame = isStated(files.get(part.name), part.stated);
  log.check('hashes', isSame ? null : { code: part.code, at: part.name, message: 'it is not the one that the receipt names' });
}

export function isStated(found: FileFacts | undefined, stated: SegmentIdentity): boolean {
  return found !== undefined && found.bytes === stated.bytes && found.sha256 === stated.sha256;
}
