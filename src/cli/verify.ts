/**
 * `headgate verify`: recomputes a job from its raw file and holds its receipt against it. Offline over an export, or over a
 * job whose export it fetches through the API first; it then is the same program. Exit code 0: sound, 1: not sound, 2: it
 * could not look, or not print that it is sound, or that of every command where the API refuses the export.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { flowErrors } from '../control/flows/flow-errors.ts';
import { loadFlow } from '../control/flows/load-flow.ts';
import type { Plan } from '../pipeline/engine/plan.ts';
import type { Packs } from '../pipeline/formats/pack.ts';
import { readAuditorPrivateKey } from '../pipeline/ledger/export/auditor-key.ts';
import { exportFiles } from '../pipeline/ledger/export/export-layout.ts';
import { openSealedExport } from '../pipeline/ledger/export/sealed-export.ts';
import { ledgerErrors } from '../pipeline/ledger/ledger-errors.ts';
import { parseTrustFile, type Trust } from '../pipeline/ledger/trust-file.ts';
import { unpackContainer } from '../pipeline/ledger/verification/container-check.ts';
import type { ExportReader } from '../pipeline/ledger/verification/export-reader.ts';
import type { VerificationReport } from '../pipeline/ledger/verification/verification-report.ts';
import { verifyExport } from '../pipeline/ledger/verification/verify-export.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { createApiClient } from './api-client.ts';
import { cliErrors } from './cli-errors.ts';
import { apiOptions, type Command, type CommandLine, printable, reportError, requiredOption, textOption } from './command.ts';
import { archiveFile, archivePieces, extractExport, isSealedFile, readExportFolder } from './export-folder.ts';
import { Progress } from './progress.ts';
import { removeWhenOver } from './removed-when-over.ts';
import { writeOut } from './stdout.ts';
import { oneLine } from './terminal-text.ts';
import { whyUnreadable } from './unreadable-file.ts';

const usage = 'headgate verify JOB | --export DIR|FILE [--key AUDITOR.key]  --trust FILE [--out DIR] [--json]';

export function createVerifyCommand(packs: Packs): Command {
  return {
    usage,
    summary: 'Recomputes a job from its raw file, without the database and without generated code, and checks its signed receipt.',
    options: {
      ...apiOptions,
      export: { type: 'string' },
      key: { type: 'string' },
      trust: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean' },
    },
    async run(line) {
      const path = textOption(line, 'export');
      const [job, ...others] = line.positionals;
      if ((path === undefined) === (job === undefined) || others.length > 0)
        throw new HeadgateError(cliErrors.E_USAGE, `name a job or an export (usage: ${usage})`);
      if (job !== undefined && textOption(line, 'key') !== undefined)
        throw new HeadgateError(cliErrors.E_USAGE, `--key opens an export (usage: ${usage})`);
      const trustPath = requiredOption(line, 'trust', usage);
      let report: VerificationReport | undefined;
      try {
        const trust = readTrust(trustPath);
        const archive = path === undefined ? null : archiveFile(path);
        report =
          path !== undefined && archive === null
            ? await verifyFolder(resolve(path), trust, packs)
            : await verifyArchive(line, await archiveOf(line, archive, job), { trust, packs });
        await printReport(line, report);
        return report.isSound ? 0 : 1;
      } catch (error) {
        const code = reportError(error);
        if (report?.isSound === false) return 1;
        // 1 says that it is not sound.
        return path !== undefined || code === 1 ? 2 : code;
      }
    },
  };
}

async function archiveOf(line: CommandLine, path: string | null, job: string | undefined): Promise<AsyncIterable<Uint8Array>> {
  if (path !== null) {
    if (!isSealedFile(path)) return archivePieces(path);
    const key = requiredOption(line, 'key', usage);
    return openSealedExport(archivePieces(path), readAuditorPrivateKey(readPrivateFile(key)));
  }
  return await createApiClient(line).stream(`/v1/jobs/${encodeURIComponent(job!)}/export`);
}

/** Unpacks into `--out`, which is kept, or into a folder of its own that only this user can read, which is removed. */
async function verifyArchive(
  line: CommandLine,
  pieces: AsyncIterable<Uint8Array>,
  { trust, packs }: { readonly trust: Trust; readonly packs: Packs },
): Promise<VerificationReport> {
  const kept = textOption(line, 'out');
  const verify = async (folder: string) => {
    await withProgress('the export', async (progress) => {
      let bytes = 0;
      await extractExport(pieces, folder, (piece) => progress.showBytes('unpacked', (bytes += piece), 0));
    });
    return await verifyFolder(folder, trust, packs);
  };
  return kept === undefined ? await withPrivateFolder(verify) : await verify(resolve(kept));
}

/** Removed whatever happens: what is in it is in the clear. */
async function withPrivateFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-verify-'));
  removeWhenOver(folder);
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function verifyFolder(folder: string, trust: Trust, packs: Packs): Promise<VerificationReport> {
  return await withProgress('the file', async (progress) => {
    const reader = tellingReader(readExportFolder(folder), progress);
    return verifyExport({ reader, trust, container: await unpackContainer(reader, { compile, packs }), compile });
  });
}

async function withProgress<T>(what: string, work: (progress: Progress) => Promise<T>): Promise<T> {
  const progress = new Progress(what, { isPatient: true });
  try {
    return await work(progress);
  } finally {
    progress.end();
  }
}

/** Tells how far the file has been read, which takes nearly all of the time: to hash it, and again to recompute it. */
function tellingReader(reader: ExportReader, progress: Progress): ExportReader {
  let isAgain = false;
  return {
    names: () => reader.names(),
    open(name) {
      const source = reader.open(name);
      if (name !== exportFiles.member) return source;
      const verb = isAgain ? 'read again' : 'read';
      isAgain = true;
      return {
        size: source.size,
        read(into, at, length, position) {
          const count = source.read(into, at, length, position);
          progress.showBytes(verb, position + count, source.size);
          return count;
        },
        close: () => source.close(),
      };
    },
  };
}

function compile(definition: Uint8Array): Plan {
  const { plan, diagnostics } = loadFlow(Buffer.from(definition).toString('utf8'));
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error');
  if (plan === null || mistakes.length > 0)
    throw new HeadgateError(flowErrors.E_FLOW_INVALID, 'the flow definition of the export is not valid');
  return plan;
}

/** Fails with E_AUDITOR_KEY, also when others may read it. */
function readPrivateFile(path: string): string {
  try {
    if ((statSync(path).mode & 0o077) === 0) return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new HeadgateError(ledgerErrors.E_AUDITOR_KEY, `the key file ${path} cannot be read`, { cause });
  }
  throw new HeadgateError(ledgerErrors.E_AUDITOR_KEY, `the key file ${path} may be read by others; make it mode 0600`);
}

function readTrust(path: string): Trust {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new HeadgateError(ledgerErrors.E_TRUST_FILE, `the trust file ${path} cannot be read: ${whyUnreadable(cause)}`, { cause });
  }
  return parseTrustFile(text);
}

async function printReport(line: CommandLine, report: VerificationReport): Promise<void> {
  if (line.options['json']) return writeOut(`${JSON.stringify(report, null, 2)}\n`);
  const width = Math.max(0, ...report.checks.map(({ name }) => name.length));
  const checks = report.checks.map(
    ({ name, compared, failed }) =>
      `${failed === 0 ? 'ok     ' : 'FAILED '} ${name.padEnd(width)}  ${compared} compared${failed === 0 ? '' : `, ${failed} failed`}`,
  );
  const failures = report.failures.map(({ code, at, message }) => `${code} ${at}: ${message}`);
  if (report.furtherFailures > 0) failures.push(`… and ${report.furtherFailures} more`);
  const verdict = report.isSound
    ? `sound: job ${report.jobId}, signed with key ${report.kid}`
    : `NOT SOUND: job ${report.jobId ?? 'unknown'}`;
  await writeOut(
    [...checks, ...failures, ...report.notes.map((note) => `note: ${note}`), verdict]
      .map((each) => `${oneLine(printable(each))}\n`)
      .join(''),
  );
}
