/** s3 against OpenDAL alone at an emulator: an object that is not there yet, whole in one request, and measured. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Target } from '../../src/pipeline/connectors/connector.ts';
import { findProgram } from '../../test/support/debian-programs.ts';
import { startMoto } from '../../test/support/moto.ts';
import type { BareAnswer, BareRequest } from './blob-bare-process.ts';
import { type CaseMaker, openTarget } from './delivery-case.ts';

export const blobCase: CaseMaker = {
  connector: 's3',
  sizes: { batched: 100_000, single: 500 },
  missing: () => (findProgram('moto') === null ? 'moto' : null),
  async make() {
    const server = await startMoto();
    const bare = startBare();
    let buckets = 0;
    const openBucket = async () => {
      const name = `bench-${++buckets}`;
      await server.makeContainer(name);
      const secret = 'env:HEADGATE_SECRET_BENCH__P';
      const { target } = await openTarget({
        target: '{ type: s3, connection: c, name: "{number}.ndjson" }',
        connection: `{ type: s3, bucket: ${name}, region: us-east-1, endpoint: "http://127.0.0.1:${server.port}", accessKeyId: "${secret}", secretAccessKey: "${secret}" }`,
        password: 'test',
      });
      return { target, service: server.service(name, server.port, '127.0.0.1') };
    };
    let bucket = await openBucket();
    const ask = (written: BareRequest['written']) => bare.ask({ service: bucket.service, credentials: server.credentials, written });
    return {
      connector: 's3',
      against: 'opendal',
      get target(): Target {
        return bucket.target;
      },
      async sendBare({ batch }) {
        const [body] = batch.body.pieces() as readonly Buffer[];
        await ask({ name: `${batch.number}.ndjson`, body: body! });
      },
      taken: () => ask(null),
      /** Another bucket: emptying one takes longer than filling it. */
      async reset() {
        await bucket.target.close();
        bucket = await openBucket();
      },
      async close() {
        bare.stop();
        await bucket.target.close();
        await server.stop();
      },
    };
  },
};

function startBare() {
  const child = fork(join(import.meta.dirname, 'blob-bare-process.ts'), { serialization: 'advanced' });
  const waiting = new Map<number, (answer: BareAnswer) => void>();
  let place = 0;
  child.on('message', (answer: BareAnswer) => waiting.get(answer.place)!(answer));
  child.on('exit', (code) => {
    for (const tell of waiting.values()) tell({ place: 0, failure: `the process ended with ${code}`, taken: [] });
  });
  return {
    async ask(request: Omit<BareRequest, 'place'>): Promise<readonly string[]> {
      const own = ++place;
      const { failure, taken } = await new Promise<BareAnswer>((resolve) => {
        waiting.set(own, resolve);
        child.send({ ...request, place: own });
      });
      waiting.delete(own);
      if (failure !== null) throw new Error(failure);
      return taken;
    },
    stop: () => void child.kill(),
  };
}
