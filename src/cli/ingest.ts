/** `headgate ingest FILE… --flow NAME`: brings files in through the API, hashed on the way, and can wait for their jobs. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { HeadgateError } from '../platform/base/errors.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { ApiProblem } from './api-problem.ts';
import { cliErrors } from './cli-errors.ts';
import { apiOptions, type Command, countOption, outputOptions, printable, requiredOption, textOption } from './command.ts';
import { exitCodeOfJob, heldExitCode } from './held-deliveries.ts';
import { bodyOfFile, FileReadError } from './http-call.ts';
import { type Interrupted, untilInterrupted } from './interruption.ts';
import type { JobAnswer } from './job-answer.ts';
import { tellOutcome } from './job-outcome.ts';
import { waitShowing } from './job-waiting.ts';
import { printRows } from './output.ts';
import { Progress } from './progress.ts';
import { shellWord } from './shell-word.ts';
import { whyUnreadable } from './unreadable-file.ts';

interface UploadAnswer {
  readonly state: string;
  readonly arrivalId: string;
  readonly fileId?: string;
  readonly jobId?: string;
  readonly of?: string;
  /** Of one that is held or in quarantine, with why and what can be done. */
  readonly code?: string;
  readonly reason?: string;
  readonly next?: string;
  /** Of an unpacked one. */
  readonly members?: readonly MemberAnswer[];
}

interface MemberAnswer {
  readonly arrivalId: string;
  readonly name: string;
  readonly state: string;
  readonly reasonCode: string | null;
  readonly fileId: string | null;
  readonly duplicateOf: string | null;
  readonly jobId: string | null;
}

export const ingestCommand: Command = {
  usage: 'headgate ingest FILE… --flow NAME [--wait|--watch] [--timeout SECONDS] [--idempotency-key KEY] [--json]',
  summary:
    'Uploads files to a flow; exit 1 when one is quarantined, 7 when one is held as an arrival (a duplicate, where the flow holds them). With --wait, or --watch, which is the same, until their jobs are closed or held; exit 1 when one did not complete, 7 when all that is left of their deliveries is held. Of an archive each member has a row of its own. A duplicate is no failure: it names the job of the file that was first, and --wait waits for that.',
  options: {
    ...outputOptions,
    ...apiOptions,
    flow: { type: 'string' },
    wait: { type: 'boolean' },
    watch: { type: 'boolean' },
    timeout: { type: 'string' },
    'idempotency-key': { type: 'string' },
  },
  async run(line) {
    const flow = requiredOption(line, 'flow', this.usage);
    if (line.positionals.length === 0) throw new HeadgateError(cliErrors.E_USAGE, `no FILE was given (usage: ${this.usage})`);
    const api = createApiClient(line);
    const timeoutSeconds = countOption(line, 'timeout', 3600);
    const isWaiting = line.options.wait || line.options.watch;
    const rows: Record<string, unknown>[] = [];
    let exitCode = 0;
    const print = () =>
      printRows(line, rows, {
        isDone: true,
        columns: ['file', 'state', 'code', 'jobId', ...(isWaiting ? ['job', 'records.read', 'records.valid', 'records.rejected'] : [])],
      });
    for (const [index, path] of line.positionals.entries()) {
      try {
        const key = textOption(line, 'idempotency-key');
        const answer = await upload(api, path, flow, key && line.positionals.length > 1 ? `${key}-${index + 1}` : key);
        for (const { file, taken } of filesOf(path, answer)) {
          const job = isWaiting && taken.jobId ? await waitFor(api, file, taken.jobId, timeoutSeconds) : undefined;
          rows.push(rowOf(file, taken, job));
          tellUndecided(file, taken);
          tellDuplicate(file, taken, job);
          if (job) await tellOutcome(api, job);
          const own = job ? exitCodeOfJob(job) : (exitCodes[taken.state] ?? 0);
          exitCode = exitCode === 1 || own === 1 ? 1 : exitCode || own;
        }
      } catch (error) {
        if (rows.length > 0) await print();
        throw error;
      }
    }
    await print();
    return exitCode;
  },
};

/** The file itself, or the members of an archive. */
function filesOf(path: string, answer: UploadAnswer): { readonly file: string; readonly taken: UploadAnswer }[] {
  if (answer.members === undefined) return [{ file: path, taken: answer }];
  return answer.members.map(({ arrivalId, name, state, reasonCode, fileId, duplicateOf, jobId }) => ({
    file: `${path}/${name}`,
    taken: {
      arrivalId,
      state,
      ...(fileId !== null && { fileId }),
      ...(jobId !== null && { jobId }),
      ...(duplicateOf !== null && { of: duplicateOf }),
      ...(reasonCode !== null && { code: reasonCode }),
    },
  }));
}

/** What ends the wait does not end the job, so that the file must not be sent again. */
async function waitFor(api: ApiClient, path: string, jobId: string, timeoutSeconds: number): Promise<JobAnswer> {
  try {
    return await waitShowing(api, { jobId, what: basename(path), timeoutSeconds });
  } catch (error) {
    const isOwn = error instanceof HeadgateError && (error.code === cliErrors.E_TIMEOUT || error.code === cliErrors.E_INTERRUPTED);
    if (error instanceof HeadgateError && !isOwn)
      error.message += `; ${path} was accepted as job ${jobId}, to go on waiting: headgate job watch ${jobId}`;
    throw error;
  }
}

/** Of a file without a job. */
const exitCodes: Readonly<Record<string, number>> = { quarantined: 1, held: heldExitCode };

/** On stderr: why a file is held or in quarantine, and what can be done. */
function tellUndecided(path: string, { state, arrivalId, code, reason, next }: UploadAnswer): void {
  if (state !== 'held' && state !== 'quarantined') return;
  const how = state === 'held' ? 'is held' : 'is in quarantine';
  const lines = [`${path} ${how} (${code})${reason ? `: ${reason}` : ''}`, `show: headgate arrival get ${arrivalId}`];
  if (next) lines.push(`try: ${next}`);
  process.stderr.write(`${lines.map(printable).join('\n')}\n`);
}

/** On stderr: that nothing was taken now, and whose job is shown. `job`: of the file that was first, where it was waited for. */
function tellDuplicate(path: string, { state, jobId }: UploadAnswer, job: JobAnswer | undefined): void {
  if (state !== 'duplicate') return;
  const lines = [
    `${path} is a duplicate, nothing was taken now: the flow accepted the same file before${jobId ? `, as job ${jobId}` : ''}`,
  ];
  if (job?.state === 'rejected' || job?.state === 'cancelled')
    lines.push('try: That job delivers nothing more. To have the same file run again: headgate error E_DUPLICATE');
  process.stderr.write(`${lines.map(printable).join('\n')}\n`);
}

function rowOf(path: string, answer: UploadAnswer, job: JobAnswer | undefined): Record<string, unknown> {
  return {
    file: path,
    state: answer.state,
    fileId: answer.fileId ?? null,
    jobId: answer.jobId ?? null,
    duplicateOf: answer.of ?? null,
    code: answer.code ?? null,
    reason: job?.reason ?? answer.reason ?? null,
    arrivalId: answer.arrivalId,
    job: job?.state ?? null,
    ...(job && { records: job.records }),
  };
}

const knownStates: readonly unknown[] = ['accepted', 'unpacked', 'duplicate', 'held', 'quarantined'];

/** A success of something that stands between, such as a gateway, has taken no file. Fails with E_API_UNREACHABLE. */
function checked(path: string, answer: UploadAnswer | null): UploadAnswer {
  const { state, arrivalId, members } = answer ?? {};
  if (knownStates.includes(state) && typeof arrivalId === 'string' && (state !== 'unpacked' || Array.isArray(members))) return answer!;
  throw new HeadgateError(cliErrors.E_API_UNREACHABLE, `what answered does not say what became of ${path}`, {
    next: 'Point HEADGATE_URL at the server itself, of the same version, and look with `headgate arrival list` whether it has the file before you send it again.',
  });
}

const hashedBytes = 1024 * 1024;

/** Fails with E_USAGE where the file cannot be read, and with E_INTERRUPTED at a signal. */
async function upload(api: ApiClient, path: string, flow: string, ownKey: string | undefined): Promise<UploadAnswer> {
  const query = new URLSearchParams({ flow, name: basename(path) });
  const key = ownKey ?? systemPorts.ids.next();
  const again = `which takes it once: headgate ingest ${shellWord(path)} --flow ${shellWord(flow)} --idempotency-key ${shellWord(key)}`;
  let isSent = false;
  await using handle = await open(path).catch((error: unknown) => {
    throw unreadable(path, new FileReadError('the file can not be opened', { cause: error }));
  });
  const progress = new Progress(basename(path), { isPatient: true });
  const send = async (signal: AbortSignal) => {
    const show = (what: string, done: number, bytes: number) => !signal.aborted && progress.showBytes(what, done, bytes);
    const { size } = await handle.stat();
    const { sha256, bytes } = await hashFile(handle, (done) => show('hashed', done, size));
    const headers = { 'content-type': 'application/octet-stream', 'repr-digest': `sha-256=:${sha256}:`, 'idempotency-key': key };
    const body = bodyOfFile(handle, bytes, (done) => show('sent', done, bytes));
    isSent = !signal.aborted;
    return isSent ? checked(path, (await api.send<UploadAnswer | null>(`/v1/files?${query}`, body, headers)).answer) : null;
  };
  try {
    return (await untilInterrupted(send, () => interrupted(path, isSent ? again : null)))!;
  } catch (error) {
    if (error instanceof FileReadError) throw unreadable(path, error);
    if (isSent && mayBeTaken(error)) error.message += `; ${path} may have been taken, to send it again under the same key, ${again}`;
    throw error;
  } finally {
    progress.end();
  }
}

/** Base64. The next piece is read while one is hashed. */
async function hashFile(file: FileHandle, onHashed: (done: number) => void): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    let [piece, other] = [Buffer.allocUnsafeSlow(hashedBytes), Buffer.allocUnsafeSlow(hashedBytes)];
    let reading = file.read(piece, 0, hashedBytes, 0);
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) break;
      bytes += bytesRead;
      reading = file.read(other, 0, hashedBytes, bytes);
      hash.update(piece.subarray(0, bytesRead));
      onHashed(bytes);
      [piece, other] = [other, piece];
    }
  } catch (cause) {
    throw new FileReadError('the file can not be read', { cause });
  }
  return { sha256: hash.digest('base64'), bytes };
}

/** `again`: how it is sent again where it may have been taken. */
function interrupted(path: string, again: string | null): Interrupted {
  if (again === null) return { message: `nothing of ${path} was sent`, next: 'Ingest it again.' };
  return { message: `${path} was on its way, and may have been taken`, next: `Send it again under the same key, ${again}` };
}

/** Of failures before there is a connection, so that nothing was sent. */
const unconnected = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPROTO|ERR_SSL_|ERR_TLS_|CERT_|DEPTH_|SELF_|UNABLE_)/;

/** No answer came, or one that does not say what became of the file. */
function mayBeTaken(error: unknown): error is HeadgateError {
  // 507: refused before a byte was read.
  if (error instanceof ApiProblem) return error.status >= 500 && error.status !== 507;
  if (!(error instanceof HeadgateError) || error.code !== cliErrors.E_API_UNREACHABLE) return false;
  return !unconnected.test((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '');
}

function unreadable(path: string, error: FileReadError): HeadgateError {
  const why = error.cause === undefined ? error.message : whyUnreadable(error.cause);
  return new HeadgateError(cliErrors.E_USAGE, `${path} cannot be read: ${why}`, {
    cause: error,
    next: `Correct the path, which is taken from ${process.cwd()}, or the rights to the file.`,
  });
}
