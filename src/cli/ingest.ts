/** `headgate ingest FILE… --flow NAME`: brings files in through the API, hashed on the way, and can wait for their jobs. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { HeadgateError } from '../platform/base/errors.ts';
import { systemPorts } from '../platform/base/system-ports.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { cliErrors } from './cli-errors.ts';
import { apiOptions, type Command, countOption, outputOptions, printable, requiredOption, textOption } from './command.ts';
import { exitCodeOfJob, tellWhatHolds } from './held-deliveries.ts';
import { waitForJob } from './job.ts';
import type { JobAnswer } from './job-answer.ts';
import { printRows } from './output.ts';

interface UploadAnswer {
  readonly state: string;
  readonly arrivalId: string;
  readonly fileId?: string;
  readonly jobId?: string;
  readonly of?: string;
  readonly code?: string;
}

export const ingestCommand: Command = {
  usage: 'headgate ingest FILE… --flow NAME [--wait] [--timeout SECONDS] [--idempotency-key KEY] [--json]',
  summary:
    'Uploads files to a flow; exit 1 when one is quarantined. With --wait until their jobs are closed or held; exit 1 when one did not complete, 7 when all that is left of their deliveries is held. A duplicate is no failure: it names the job of the file that was first, and --wait waits for that.',
  options: {
    ...outputOptions,
    ...apiOptions,
    flow: { type: 'string' },
    wait: { type: 'boolean' },
    timeout: { type: 'string' },
    'idempotency-key': { type: 'string' },
  },
  async run(line) {
    const flow = requiredOption(line, 'flow', this.usage);
    if (line.positionals.length === 0) throw new HeadgateError(cliErrors.E_USAGE, `no FILE was given (usage: ${this.usage})`);
    const api = createApiClient(line);
    const timeoutSeconds = countOption(line, 'timeout', 3600);
    const rows: Record<string, unknown>[] = [];
    let exitCode = 0;
    const print = () =>
      printRows(line, rows, {
        columns: [
          'file',
          'state',
          'code',
          'jobId',
          ...(line.options.wait ? ['job', 'records.read', 'records.valid', 'records.rejected'] : []),
        ],
      });
    for (const [index, path] of line.positionals.entries()) {
      try {
        const key = textOption(line, 'idempotency-key');
        const answer = await upload(api, path, flow, key && line.positionals.length > 1 ? `${key}-${index + 1}` : key);
        const job = line.options.wait && answer.jobId ? await waitShowing(api, path, answer.jobId, timeoutSeconds) : undefined;
        rows.push(rowOf(path, answer, job));
        if (job) await tellWhatHolds(api, job);
        const own = exitCodeOf(answer, job, line.options.wait === true);
        exitCode = exitCode === 1 || own === 1 ? 1 : exitCode || own;
      } catch (error) {
        if (rows.length > 0) await print();
        throw error;
      }
    }
    await print();
    return exitCode;
  },
};

function exitCodeOf(answer: UploadAnswer, job: JobAnswer | undefined, isWaiting: boolean): number {
  if (job) return exitCodeOfJob(job);
  return (isWaiting ? answer.state === 'duplicate' : answer.state !== 'quarantined') ? 0 : 1;
}

function rowOf(path: string, answer: UploadAnswer, job: JobAnswer | undefined): Record<string, unknown> {
  return {
    file: path,
    state: answer.state,
    fileId: answer.fileId ?? null,
    jobId: answer.jobId ?? null,
    duplicateOf: answer.of ?? null,
    code: answer.code ?? null,
    job: job?.state ?? null,
    ...(job && { records: job.records }),
  };
}

async function upload(api: ApiClient, path: string, flow: string, key: string | undefined): Promise<UploadAnswer> {
  const sha256 = await hashFile(path);
  const query = new URLSearchParams({ flow, name: basename(path) });
  const { answer } = await api.send<UploadAnswer>(`/v1/files?${query}`, Readable.toWeb(createReadStream(path)) as ReadableStream, {
    'content-type': 'application/octet-stream',
    'content-length': String(statSync(path).size),
    'repr-digest': `sha-256=:${sha256}:`,
    'idempotency-key': key ?? systemPorts.ids.next(),
  });
  return answer;
}

/** Base64. Fails with E_USAGE where the file cannot be read. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Uint8Array);
  } catch (cause) {
    throw new HeadgateError(cliErrors.E_USAGE, `${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
  return hash.digest('base64');
}

/** On a terminal one line that changes, elsewhere a line for each change. */
async function waitShowing(api: ApiClient, path: string, jobId: string, timeoutSeconds: number): Promise<JobAnswer> {
  const { stderr } = process;
  let last = '';
  try {
    return await waitForJob(api, jobId, timeoutSeconds, ({ state, records }) => {
      const text = `${basename(path)}: ${state}, ${records.read} records read`;
      if (text !== last) stderr.write(stderr.isTTY ? `\r\u001b[K${printable(text)}` : `${printable(text)}\n`);
      last = text;
    });
  } finally {
    if (stderr.isTTY && last !== '') stderr.write('\n');
  }
}
