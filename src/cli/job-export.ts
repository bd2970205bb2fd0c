/**
 * `headgate job export`: writes the export of a closed job to a file that only this user can read; with `--to` sealed by the
 * server for an auditor's key, so that nobody on the way can read it.
 */
import { closeSync, existsSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { readAuditorKey } from '../pipeline/ledger/export/auditor-key.ts';
import { ledgerErrors } from '../pipeline/ledger/ledger-errors.ts';
import { HeadgateError } from '../platform/base/errors.ts';
import { createApiClient } from './api-client.ts';
import { apiOptions, type Command, requiredOption, requiredPositional, textOption } from './command.ts';
import { Progress } from './progress.ts';
import { removedAtSignals } from './removed-at-signals.ts';
import { verifyErrors } from './verify-errors.ts';

const usage = 'headgate job export JOB --out FILE [--to AUDITOR.pub] [--reason TEXT]';

export const jobExportCommand: Command = {
  usage,
  summary: "Writes everything that backs a closed job's receipt to a file; with --to sealed for an auditor's public key (X25519, PEM).",
  options: { ...apiOptions, out: { type: 'string' }, to: { type: 'string' }, reason: { type: 'string' } },
  async run(line) {
    const job = encodeURIComponent(requiredPositional(line, 0, 'JOB', usage));
    const out = requiredOption(line, 'out', usage);
    const to = textOption(line, 'to');
    const reason = textOption(line, 'reason');
    const query = new URLSearchParams({
      ...(to !== undefined && { to: readAuditorKey(readKeyFile(to)).x }),
      ...(reason !== undefined && { reason }),
    });
    const pieces = await createApiClient(line).stream(`/v1/jobs/${job}/export${query.size === 0 ? '' : `?${query}`}`);
    await writeWhole(out, pieces);
    process.stderr.write(`${to === undefined ? 'written in the clear' : 'written, sealed'}: ${out}\n`);
    return 0;
  },
};

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new HeadgateError(ledgerErrors.E_AUDITOR_KEY, `the key file ${path} cannot be read`, { cause });
  }
}

/** All of it, or no file. Never over another one. */
async function writeWhole(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const partial = `${path}.partial`;
  if (existsSync(path)) throw notWritten(path, 'EEXIST');
  if (existsSync(partial)) throw notWritten(path, `another export writes it, or was killed: then remove ${partial}`);
  let descriptor = -1;
  const remove = () => {
    if (descriptor >= 0) rmSync(partial, { force: true });
  };
  const progress = new Progress(path, { isPatient: true });
  let bytes = 0;
  try {
    await removedAtSignals(remove, async () => {
      descriptor = attempt(path, () => openSync(partial, 'wx', 0o600));
      for await (const piece of pieces) {
        for (let done = 0; done < piece.length; ) done += attempt(path, () => writeSync(descriptor, piece, done));
        bytes += piece.length;
        progress.showBytes('written', bytes, 0);
      }
      // A link, unlike a rename, takes no other file's place.
      attempt(path, () => linkSync(partial, path));
    });
  } finally {
    progress.end();
    if (descriptor >= 0) closeSync(descriptor);
    remove();
  }
}

function attempt<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (cause) {
    throw notWritten(path, (cause as NodeJS.ErrnoException).code ?? 'unknown', cause);
  }
}

function notWritten(path: string, code: string, cause?: unknown): HeadgateError {
  return new HeadgateError(verifyErrors.E_EXPORT_FOLDER, `${path} cannot be written: ${code}`, { cause });
}
