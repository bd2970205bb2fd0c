/**
 * OpenDAL alone, in a process of its own: in ours every connection of it goes through the egress gate, and the gate's price is one
 * of those that are measured.
 */
import { openBlobOperator } from '../../src/platform/blob/blob-operator.ts';
import type { BlobCredentials, BlobService } from '../../src/platform/blob/blob-service.ts';

export interface BareRequest {
  readonly place: number;
  readonly service: BlobService;
  readonly credentials: BlobCredentials;
  /** What is written, or null to list everything that is there. */
  readonly written: { readonly name: string; readonly body: Uint8Array } | null;
}

export interface BareAnswer {
  readonly place: number;
  readonly failure: string | null;
  /** Names and contents in turn. */
  readonly taken: readonly string[];
}

let open: { readonly of: string; readonly operator: ReturnType<typeof openBlobOperator> } | null = null;

function operatorOf({ service, credentials }: BareRequest) {
  const of = JSON.stringify(service);
  if (open?.of !== of) open = { of, operator: openBlobOperator({ service, credentials, timeoutMs: 60_000 }) };
  return open.operator;
}

async function answer(request: BareRequest): Promise<readonly string[]> {
  const operator = operatorOf(request);
  if (request.written !== null) {
    const { name, body } = request.written;
    if (await operator.exists(name)) throw new Error(`${name} is there already`);
    await operator.write(name, Buffer.from(body), { ifNotExists: true });
    if ((await operator.stat(name)).contentLength !== BigInt(body.length)) throw new Error(`${name} is not what was sent`);
    return [];
  }
  const names = (await operator.list('/')).map((entry) => entry.path()).filter((name) => !name.endsWith('/'));
  return (await Promise.all(names.sort().map(async (name) => [name, (await operator.read(name)).toString()]))).flat();
}

process.on('message', (request: BareRequest) => {
  answer(request).then(
    (taken) => process.send!({ place: request.place, failure: null, taken } satisfies BareAnswer),
    (error: unknown) => process.send!({ place: request.place, failure: String(error), taken: [] } satisfies BareAnswer),
  );
});
