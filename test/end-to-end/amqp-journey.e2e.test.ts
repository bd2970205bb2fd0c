/** The whole way of a file to a queue: the product as it serves, and a real RabbitMQ behind a network that loses answers. */
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { hasComponent, itWith } from '../support/components.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RabbitMq, startRabbitMq, type TakenMessage } from '../support/rabbitmq.ts';
import { type RunningTestServer, startTestServer } from '../support/running-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let database: TestDatabase;
let server: RunningTestServer;
let rabbit: RabbitMq;
beforeAll(async () => {
  if (!hasComponent('rabbitmq')) return;
  rabbit = await startRabbitMq();
  database = await createTestDatabase({ connectionsMax: 12 });
  const secrets = Object.fromEntries(tenants.map((name) => [secretOf(name), rabbit.password]));
  server = await startTestServer(database, {}, undefined, secrets);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
  await rabbit?.stop();
});

const protocols = ['amqp-0-9-1', 'amqp-1.0'] as const;
const tenants = protocols.flatMap((protocol) => ['lossy', 'late'].map((kind) => `${kind}-${protocol.replaceAll('.', '-')}`));
const secretOf = (tenant: string) => `HEADGATE_SECRET_${tenant.toUpperCase().replaceAll('-', '_')}__MQ`;

const documents = (given: { readonly tenant: string; readonly port: number; readonly protocol: string; readonly queue: string }) => [
  `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: TENANT, name: policy }
spec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }
`,
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: mq-rtgs }
spec: { type: amqp, host: 127.0.0.1, port: ${given.port}, protocol: ${given.protocol}, user: ${rabbit.user}, password: "env:${secretOf(given.tenant)}", tls: disable }
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: rtgs, version: 1.0.0 }
spec:
  sources: [{ id: upload, type: http }]
  format: { type: delimited, header: true }
  schema:
    record:
      key: [account]
      fields:
        account: { type: string, required: true }
        place: { type: int, required: true }
        amount: { type: decimal, scale: 2, required: true, sum: true }
  routes: { default: { to: [rtgs-mq] } }
  targets:
    rtgs-mq: { type: amqp, connection: mq-rtgs, queue: ${given.queue}, order: by-key, batch: { size: 20 } }
  targetDefaults: { timeout: 5s, retry: { max: 60, initial: 20ms, cap: 500ms } }
`,
];

const accounts = 12;
const fileOf = (records: number) =>
  `account,place,amount\n${Array.from({ length: records }, (_, at) => `A${at % accounts},${at},${at}.25\n`).join('')}`;

interface BatchItem {
  readonly batchId: string;
  readonly state: string;
  readonly reasonCode: string | null;
}

interface Sent {
  readonly account: string;
  readonly place: number;
}

const recordOf = ({ body }: TakenMessage) => JSON.parse(body) as Sent;

/** Of each account, the places in the order in which they first came. */
function firstPlaces(messages: readonly TakenMessage[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const message of messages) {
    const { account, place } = recordOf(message);
    const places = found.get(account) ?? [];
    if (!places.includes(place)) places.push(place);
    found.set(account, places);
  }
  return found;
}

describe.each(protocols)('a file to a queue over %s', (protocol) => {
  const nameOf = (kind: string) => `${kind}-${protocol.replaceAll('.', '-')}`;

  async function ingest(kind: string, { queue, port }: { readonly queue: string; readonly port: number }, records: number) {
    const tenant = await server.tenant(nameOf(kind));
    await tenant.apply(...documents({ tenant: tenant.name, port, protocol, queue }));
    const { json } = await server.upload(tenant.key, { flow: 'rtgs', name: 'rtgs.csv', body: fileOf(records) });
    return { key: tenant.key, jobId: json.jobId as string };
  }

  itWith('rabbitmq')(
    'arrives record by record, in the order of each key, counted, and twice only with the label that says so',
    async () => {
      const records = 300;
      const queue = `LOSSY.${protocol}`;
      await rabbit.declareQueue(queue);
      const proxy = await startTcpProxy({ host: rabbit.host, port: rabbit.port });
      onTestFinished(() => proxy.close());
      // The confirms of the first messages never arrive.
      proxy.arm({ match: /"account"/, how: 'forward-and-drop-answer' });
      const { key, jobId } = await ingest('lossy', { queue, port: proxy.port }, records);
      const job = await server.settle(key, jobId);
      expect(proxy.faultsUsed).toBe(1);
      expect(job).toMatchObject({ state: 'completed', balanced: true, records: { read: records, valid: records } });
      expect(job.targets['rtgs-mq']).toMatchObject({ routed: records, delivered: records, refused: 0, dead: 0 });
      const messages = await rabbit.takeAll(queue);
      const places = firstPlaces(messages);
      expect([...places.values()].flat().length).toBe(records);
      for (const own of places.values()) expect(own).toEqual(own.toSorted((a, b) => a - b));
      const seen = new Set<unknown>();
      for (const { headers } of messages) {
        const deliveryKey = headers['headgate-delivery-key'];
        if (seen.has(deliveryKey)) expect(headers['headgate-possible-duplicate']).toBe('true');
        seen.add(deliveryKey);
        expect(headers['headgate-job-id']).toBe(jobId);
      }
      expect([seen.size, messages.length > records]).toEqual([records, true]);
    },
  );

  itWith('rabbitmq')('waits for a queue that is missing, and arrives once it is there', async () => {
    const queue = `LATE.${protocol}`;
    const { key, jobId } = await ingest('late', { queue, port: rabbit.port }, 30);
    const batches = async () => (await server.request(`/v1/batches?job=${jobId}`, { key })).json.items as readonly BatchItem[];
    await vi.waitUntil(async () => (await batches()).some(({ reasonCode }) => reasonCode === 'E_TARGET_SETUP'), {
      timeout: 60_000,
      interval: 50,
    });
    await rabbit.declareQueue(queue);
    // As a person does who made the queue: those that wait by now would look for it again in a minute.
    for (const { batchId, state } of await batches()) {
      const body = { decision: 'resend', reason: 'the queue is there' };
      if (state === 'held') await server.request(`/v1/batches/${batchId}/resolve`, { key, method: 'POST', body });
    }
    expect(await server.settle(key, jobId)).toMatchObject({ state: 'completed', balanced: true });
    expect((await rabbit.takeAll(queue)).length).toBe(30);
  });
});
