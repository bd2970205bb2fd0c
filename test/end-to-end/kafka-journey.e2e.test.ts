/** The whole way of a file to a topic: the product as it serves, and a cluster that loses an answer and moves its leaders. */
import { afterAll, beforeAll, describe, expect, onTestFinished } from 'vitest';
import { hasComponent, itWith } from '../support/components.ts';
import { type KafkaCluster, type ReadRecord, startKafka } from '../support/kafka-mock.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { type RunningTestServer, startTestServer } from '../support/running-server.ts';

let database: TestDatabase;
let server: RunningTestServer;
let kafka: KafkaCluster;
beforeAll(async () => {
  if (!hasComponent('kafka')) return;
  kafka = await startKafka();
  database = await createTestDatabase({ connectionsMax: 12 });
  server = await startTestServer(database);
});
afterAll(async () => {
  await server?.stop();
  await database?.drop();
  await kafka?.stop();
});

const documents = (broker: string, topic: string) => [
  `apiVersion: headgate/v1
kind: TenantPolicy
metadata: { tenant: TENANT, name: policy }
spec: { egress: { allowPrivate: ["127.0.0.0/8"], allowPlain: true } }
`,
  `apiVersion: headgate/v1
kind: Connection
metadata: { tenant: TENANT, name: kafka-pay }
spec: { type: kafka, brokers: ["${broker}"], tls: disable }
`,
  `apiVersion: headgate/v1
kind: FlowDefinition
metadata: { tenant: TENANT, service: payments, name: credits, version: 1.0.0 }
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
  routes: { default: { to: [eft-kafka] } }
  targets:
    eft-kafka: { type: kafka, connection: kafka-pay, topic: ${topic}, key: "out.account", order: by-key, batch: { size: 20 }, compression: gzip }
  targetDefaults: { timeout: 5s, retry: { max: 60, initial: 20ms, cap: 500ms } }
`,
];

const accounts = 12;
const fileOf = (records: number) =>
  `account,place,amount\n${Array.from({ length: records }, (_, at) => `A${at % accounts},${at},${at}.25\n`).join('')}`;

/** Of each account, the places in the order in which they first came. */
function firstPlaces(records: readonly ReadRecord[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { payload, key } of records) {
    const { account, place } = JSON.parse(payload) as { account: string; place: number };
    expect(key).toBe(account);
    const places = found.get(account) ?? [];
    if (!places.includes(place)) places.push(place);
    found.set(account, places);
  }
  return found;
}

describe('a file to a topic', () => {
  itWith('kafka')('arrives record by record, in the order of each key, counted, and twice only with the label that says so', async () => {
    const records = 300;
    const topic = await kafka.makeTopic(4);
    const proxy = await kafka.startProxy();
    onTestFinished(() => proxy.close());
    const tenant = await server.tenant('kafka');
    await tenant.apply(...documents(`127.0.0.1:${proxy.port}`, topic));
    // Of all requests only those with records are as long as that.
    proxy.arm({ match: /headgate[\s\S]{340}/, how: 'forward-and-drop-answer' });
    await kafka.faults?.produceErrors(0, 6, 0, 19);
    const { json } = await server.upload(tenant.key, { flow: 'credits', name: 'credits.csv', body: fileOf(records) });
    const job = await server.settle(tenant.key, json.jobId as string);
    expect(proxy.faultsUsed).toBe(1);
    expect(job).toMatchObject({ state: 'completed', balanced: true, records: { read: records, valid: records } });
    expect(job.targets['eft-kafka']).toMatchObject({ routed: records, delivered: records, refused: 0, dead: 0 });
    const messages = await kafka.read(topic);
    const places = firstPlaces(messages);
    expect([...places.values()].flat().length).toBe(records);
    for (const own of places.values()) expect(own).toEqual(own.toSorted((a, b) => a - b));
    const seen = new Set<string>();
    for (const { headers } of messages) {
      const deliveryKey = headers['headgate-delivery-key']!;
      if (seen.has(deliveryKey)) expect(headers['headgate-possible-duplicate']).toBe('true');
      seen.add(deliveryKey);
      expect(headers['headgate-job-id']).toBe(json.jobId);
    }
    expect([seen.size, messages.length > records]).toEqual([records, true]);
  });
});
