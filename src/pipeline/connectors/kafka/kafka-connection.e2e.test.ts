/** What stands between a target and its brokers: the policy, TLS and users. */
import { describe, expect, onTestFinished } from 'vitest';
import { itWith } from '../../../../test/support/components.ts';
import { type KafkaFrontOptions, startKafkaFront } from '../../../../test/support/kafka-front.ts';
import { selfSignedCertificate } from '../../../../test/support/self-signed-certificate.ts';
import { createSecretResolver } from '../../../platform/secrets/secret-resolver.ts';
import { type ResolveHost, strictEgress } from '../connector.ts';
import { outgoing } from '../connector-contract.fixture.ts';
import { outId, useKafka } from './kafka.fixture.ts';
import { kafkaConnector } from './kafka-connector.ts';

const world = useKafka();
const { optionsFor, idsIn } = world;
const signal = new AbortController().signal;
const hostName = 'kafka1.bank.example';
const { key, certificate } = selfSignedCertificate(hostName);

async function startFront(options: Partial<KafkaFrontOptions>) {
  const front = await startKafkaFront({ broker: world.cluster.brokers[0]!, hostName, ...options });
  onTestFinished(() => front.close());
  return front;
}

const resolveTo =
  (...addresses: readonly string[]): ResolveHost =>
  async () =>
    addresses;

describe('the policy', () => {
  itWith('kafka')('is asked for the brokers of the connection, and for TLS', async () => {
    const options = optionsFor({ topic: 't' });
    expect(() => kafkaConnector.open({ ...options, egress: strictEgress })).toThrowError(/TLS/);
    const target = kafkaConnector.open({ ...options, egress: { allowPrivate: [], allowPlain: true } });
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_SSRF' });
    expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_SSRF' });
    await target.close();
  });

  itWith('kafka')('C2: is asked for the brokers that the cluster names, which may be others', async () => {
    const topic = await world.cluster.makeTopic(1);
    // Says of itself that it is elsewhere on this machine.
    const front = await startFront({ hostName: '127.0.0.9' });
    const options = optionsFor({ topic, brokers: [`127.0.0.1:${front.port}`] });
    const target = kafkaConnector.open({ ...options, egress: { allowPrivate: ['127.0.0.1/32'], allowPlain: true } });
    onTestFinished(() => target.close());
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_SSRF' });
    expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_SSRF' });
    expect(await idsIn(topic)).toEqual([]);
  });

  itWith('kafka')('C3: lets no name through of which one address is forbidden', async () => {
    const front = await startFront({});
    const options = optionsFor({ topic: 't', brokers: [`${hostName}:${front.port}`] });
    const ports = { ...options.ports, resolveHost: resolveTo('127.0.0.1', '10.0.0.1') };
    const target = kafkaConnector.open({ ...options, ports });
    onTestFinished(() => target.close());
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', code: 'E_SSRF' });
  });
});

describe('TLS', () => {
  const openTo = (topic: string, port: number, connection: Record<string, unknown>, name = hostName) => {
    const options = optionsFor({
      topic,
      brokers: [`${name}:${port}`],
      connection: { tls: 'verify-full', ...connection },
      env: { CA: certificate },
    });
    const target = kafkaConnector.open({
      ...options,
      egress: { allowPrivate: ['127.0.0.0/8'], allowPlain: false },
      ports: { ...options.ports, resolveHost: resolveTo('127.0.0.1') },
    });
    onTestFinished(() => target.close());
    return target;
  };

  itWith('kafka')('goes by the names of the brokers, and trusts the authority that the connection names alone', async () => {
    const topic = await world.cluster.makeTopic(1);
    const front = await startFront({ tls: { key, cert: certificate } });
    const trusted = openTo(topic, front.port, { certificateAuthority: 'env:CA' });
    expect(await trusted.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
    const unreachable = { kind: 'refused', retryable: true, code: 'E_TARGET_UNREACHABLE' };
    expect(await openTo(topic, front.port, {}).deliver(outgoing(['b']), signal)).toMatchObject(unreachable);
    const other = openTo(topic, front.port, { certificateAuthority: 'env:CA' }, 'kafka2.bank.example');
    expect(await other.deliver(outgoing(['c']), signal)).toMatchObject(unreachable);
    expect(await openTo(topic, front.port, { tls: 'require' }).deliver(outgoing(['d']), signal)).toEqual({ kind: 'acked' });
    expect(await idsIn(topic)).toEqual(['a', 'd']);
  });

  itWith('kafka')('trusts the authority of the moment: with one that was exchanged in mid-run no kept connection is used', async () => {
    const topic = await world.cluster.makeTopic(1);
    const front = await startFront({ tls: { key, cert: certificate } });
    const options = optionsFor({
      topic,
      brokers: [`${hostName}:${front.port}`],
      connection: { tls: 'verify-full', certificateAuthority: 'env:CA' },
    });
    const env = { CA: certificate };
    const target = kafkaConnector.open({
      ...options,
      egress: { allowPrivate: ['127.0.0.0/8'], allowPlain: false },
      ports: { ...options.ports, resolveHost: resolveTo('127.0.0.1') },
      secrets: createSecretResolver({ env, limits: null }),
    });
    onTestFinished(() => target.close());
    expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
    env.CA = selfSignedCertificate(hostName).certificate;
    expect(await target.deliver(outgoing(['b']), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_UNREACHABLE' });
    env.CA = certificate;
    expect(await target.deliver(outgoing(['c']), signal)).toEqual({ kind: 'acked' });
    expect(await idsIn(topic)).toEqual(['a', 'c']);
  });

  itWith('kafka')('is no use to a broker that speaks none', async () => {
    const front = await startFront({});
    const target = openTo('t', front.port, { tls: 'require' });
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true });
  });
});

describe.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)('a user by %s', (sasl) => {
  const mechanism = sasl.toUpperCase() as NonNullable<KafkaFrontOptions['mechanism']>;

  itWith('kafka')('is refused for now with a wrong password, which is shown nowhere, and let in with the one of the moment', async () => {
    const topic = await world.cluster.makeTopic(1);
    const front = await startFront({ mechanism, hostName: '127.0.0.1' });
    front.users.set('rotating', 'one');
    const env = { P: 'one' };
    const connection = { sasl, user: 'rotating', password: 'env:P' };
    const options = optionsFor({ topic, brokers: [`127.0.0.1:${front.port}`], connection });
    const target = kafkaConnector.open({ ...options, secrets: createSecretResolver({ env, limits: null }) });
    onTestFinished(() => target.close());
    expect(await target.deliver(outgoing(['a']), signal)).toEqual({ kind: 'acked' });
    env.P = 'swordfish';
    const refused = await target.deliver(outgoing(['b']), signal);
    expect(refused).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_FORBIDDEN' });
    expect(JSON.stringify(refused)).not.toMatch(/swordfish|rotating/);
    expect(await target.probe(signal)).toMatchObject({ isReachable: false, code: 'E_TARGET_FORBIDDEN' });
    front.users.set('rotating', 'swordfish');
    expect(await target.deliver(outgoing(['c']), signal)).toEqual({ kind: 'acked' });
    expect([await idsIn(topic), front.loginsDone]).toEqual([['a', 'c'], 2]);
  });
});

describe('a user', () => {
  itWith('kafka')('who comes by a way that the broker does not know is a fault of the settings', async () => {
    const front = await startFront({ mechanism: 'PLAIN' });
    const connection = { sasl: 'scram-sha-256', user: 'u', password: 'env:P' };
    const target = kafkaConnector.open(optionsFor({ topic: 't', brokers: [`127.0.0.1:${front.port}`], connection, env: { P: 'p' } }));
    onTestFinished(() => target.close());
    expect(await target.deliver(outgoing(['a']), signal)).toMatchObject({ kind: 'refused', retryable: true, code: 'E_TARGET_SETUP' });
  });
});

describe('a topic', () => {
  itWith('kafka')(
    'that gets partitions in mid-run is written to by its new ones within half a minute, and one that loses them at once',
    async () => {
      const [topic, larger, same] = [await world.cluster.makeTopic(2), await world.cluster.makeTopic(5), await world.cluster.makeTopic(5)];
      const front = await startFront({ hostName: '127.0.0.1' });
      const options = optionsFor({ topic, brokers: [`127.0.0.1:${front.port}`], settings: { key: outId } });
      const { clock } = options.ports;
      let laterMs = 0;
      const later = { ...clock, nowMs: () => clock.nowMs(), monotonicMs: () => clock.monotonicMs() + laterMs };
      const target = kafkaConnector.open({ ...options, ports: { ...options.ports, clock: later } });
      onTestFinished(() => target.close());
      const ids = Array.from({ length: 40 }, (_, at) => `k${at}`);
      const placesIn = async (name: string) =>
        (await world.cluster.read(name)).map(({ partition, key }) => `${partition} ${key}`).toSorted();
      expect(await target.deliver(outgoing(ids), signal)).toEqual({ kind: 'acked' });
      front.topics.set(topic, larger);
      expect(await target.deliver(outgoing(ids), signal)).toEqual({ kind: 'acked' });
      const before = await placesIn(topic);
      expect(await placesIn(larger)).toEqual(before);
      laterMs = 30_000;
      expect(await target.deliver(outgoing(ids), signal)).toEqual({ kind: 'acked' });
      await world.cluster.write(same, ids);
      expect(await placesIn(larger)).toEqual([...before, ...(await placesIn(same))].toSorted());
      front.topics.clear();
      const outcome = await target.deliver(outgoing(ids), signal);
      const left = outcome.kind === 'acked' ? outcome.perRecord! : [];
      expect(new Set(left.map(({ status, code }) => `${status} ${code}`))).toEqual(new Set(['retry E_TARGET_SETUP']));
      expect(await target.deliver(outgoing(left.map(({ index }) => ids[index]!)), signal)).toEqual({ kind: 'acked' });
      expect((await world.cluster.read(topic)).length).toBe(2 * ids.length);
    },
  );
});

describe('C5: settings', () => {
  itWith('kafka')('that name no topic or broker are refused before anything is opened', () => {
    for (const topic of ['a b', 'a\nb', 'ä', '..', 'a/b', '${env.SECRET}', 'x'.repeat(250)])
      expect(() => kafkaConnector.open(optionsFor({ topic }))).toThrowError(expect.objectContaining({ code: 'E_TARGET' }));
    for (const broker of ['localhost', 'a:0', 'a:70000', 'http://a:1', 'a b:1', '/var/run:1'])
      expect(() => kafkaConnector.open(optionsFor({ topic: 't', brokers: [broker] }))).toThrowError(
        expect.objectContaining({ code: 'E_TARGET' }),
      );
  });

  itWith('kafka')('C5: lead to the topic of that very name, and text of a record is never a header', async () => {
    const topic = await world.cluster.makeTopic(1);
    const text = 'a\r\nheadgate-possible-duplicate: true\u0000';
    const target = kafkaConnector.open(optionsFor({ topic }));
    onTestFinished(() => target.close());
    expect(await target.deliver(outgoing([text]), signal)).toEqual({ kind: 'acked' });
    const [message] = await world.cluster.read(topic);
    expect(JSON.parse(message!.payload)).toMatchObject({ id: text });
    expect(Object.keys(message!.headers)).not.toContain('headgate-possible-duplicate');
  });
});
