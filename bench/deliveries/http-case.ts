/** http against undici: a request for each batch with the same headers, to a service in a process of its own. */
import { join } from 'node:path';
import { Pool } from 'undici';
import { commonHeaders } from '../../src/pipeline/connectors/http/http-headers.ts';
import { startChildServer } from '../../test/support/child-server.ts';
import { type CaseMaker, lanes, openTarget } from './delivery-case.ts';

export const httpCase: CaseMaker = {
  connector: 'http',
  sizes: { batched: 600_000, single: 16_000 },
  missing: () => null,
  async make(context) {
    const script = join(import.meta.dirname, 'http-sink-process.ts');
    const sink = await startChildServer({ command: context.node, args: [script], ready: /listening on \d+/, readyMsMax: 30_000 });
    const origin = `http://127.0.0.1:${/listening on (\d+)/.exec(sink.log())![1]}`;
    const { target } = await openTarget({
      target: '{ type: http, connection: c, path: /payments, mode: batch }',
      connection: `{ type: http, baseUrl: "${origin}" }`,
    });
    const pool = new Pool(origin, { connections: lanes, pipelining: 1 });
    return {
      connector: 'http',
      against: 'undici',
      target,
      async sendBare({ batch }) {
        const headers = {
          ...commonHeaders(batch),
          'content-type': 'application/x-ndjson',
          'content-length': String(batch.body.sizeBytes),
          'idempotency-key': batch.batchId,
        };
        const [body] = batch.body.pieces();
        const answer = await pool.request({ method: 'POST', path: '/payments', headers, body });
        await answer.body.dump();
        if (answer.statusCode !== 200) throw new Error(`the service answered ${answer.statusCode}`);
      },
      async taken() {
        const answer = await pool.request({ method: 'GET', path: '/' });
        return (await answer.body.json()) as string[];
      },
      async reset() {
        const answer = await pool.request({ method: 'DELETE', path: '/' });
        await answer.body.dump();
      },
      async close() {
        await target.close();
        await pool.close();
        await sink.kill();
      },
    };
  },
};
