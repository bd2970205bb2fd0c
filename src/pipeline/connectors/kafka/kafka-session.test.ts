import { describe, expect, it } from 'vitest';
import { systemPorts } from '../../../platform/base/system-ports.ts';
import type { BrokerContext, KafkaBroker } from './kafka-broker.ts';
import { KafkaSession } from './kafka-session.ts';

const [notLeader, tooLarge, unknownTopic] = [6, 10, 3];

/** What a session says of one message when the broker answers so, as the client tells of an answer that holds an error. */
async function said(errorCode: number, baseOffset: bigint) {
  const response = { responses: [{ partitionResponses: [{ index: 0, errorCode, baseOffset }] }] };
  const broker = {
    place: { host: 'kafka', port: 9092 },
    isBroken: false,
    request: async () => {
      throw Object.assign(new Error('refused'), { code: 'PLT_KFK_RESPONSE', response });
    },
  } as unknown as KafkaBroker;
  const context = { settings: { topic: 'eft', compression: 'none', timeoutMs: 1_000 } } as unknown as BrokerContext;
  const session = new KafkaSession(broker, context, systemPorts.clock);
  const message = { key: null, value: Buffer.from('{}'), headers: new Map<Buffer, Buffer>() };
  const verdicts = await session.produce(broker, new Map([[0, [message]]]));
  return { ...verdicts.get(0), isBroken: session.isBroken };
}

describe('an error of a partition', () => {
  it.each([notLeader, unknownTopic, tooLarge])(
    'that comes with the place of the messages (%i) says that they were appended: nobody knows',
    async (code) => {
      expect(await said(code, 17n)).toMatchObject({ kind: 'unknown', code: 'E_TARGET_REPLY_LOST', isBroken: true });
    },
  );

  it('without a place has taken nothing', async () => {
    expect(await said(notLeader, -1n)).toMatchObject({ kind: 'refused', code: 'E_TARGET_BUSY', isBroken: true });
    expect(await said(unknownTopic, -1n)).toMatchObject({ kind: 'refused', code: 'E_TARGET_SETUP' });
    expect(await said(tooLarge, -1n)).toMatchObject({ kind: 'faulty', code: 'E_TARGET_RECORD', isBroken: false });
  });
});
