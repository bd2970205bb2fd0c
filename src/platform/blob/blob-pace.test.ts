import { request } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { systemPorts } from '../base/system-ports.ts';
import { withPace } from './blob-pace.ts';
import { openEgressGate } from './egress-gate.ts';

/** Two minutes are 1.2 s. */
const hasty = { sleep: (ms: number, signal?: AbortSignal) => systemPorts.sleep.sleep(ms / 100, signal) };

function tunnelTo(target: string, proxyUrl: string): Promise<Socket> {
  const { hostname, port, username, password } = new URL(proxyUrl);
  const headers = { 'proxy-authorization': `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  return new Promise((resolve, reject) => {
    const asked = request({ host: hostname, port, method: 'CONNECT', path: target, agent: false, headers });
    asked.on('connect', (_answer, socket) => resolve(socket as Socket)).on('error', reject);
    asked.end();
  });
}

it('a read that comes too slowly is given up and its connection cut, and no other to the same host', async () => {
  const every = (ms: number, act: () => void) => {
    const timer = setInterval(act, ms);
    onTestFinished(() => clearInterval(timer));
  };
  /** What is asked for trickles; what is sent is answered shortly; one large answer comes fast and is over soon. */
  const service = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (data.includes('TRICKLE')) every(20, () => socket.write('x'));
      else if (data.includes('LAST')) socket.write('taken');
    });
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void service.close());
  const { port } = service.address() as AddressInfo;
  const gate = await openEgressGate('a'.repeat(64));
  const ours = gate.admit({ host: 's3.example', port }, async () => ['127.0.0.1']);
  gate.admit({ host: 's3.example', port }, async () => ['127.0.0.1']);
  const open = async () => {
    const socket = await tunnelTo(`s3.example:${port}`, gate.proxyUrl);
    const state = { socket, isCut: false };
    socket
      .on('error', () => {})
      .on('close', () => {
        state.isCut = true;
      });
    socket.resume();
    onTestFinished(() => void socket.destroy());
    return state;
  };
  const [slow, sending, asking] = [await open(), await open(), await open()];
  slow.socket.write('TRICKLE');
  every(50, () => sending.socket.write(Buffer.concat([Buffer.alloc(100_000), Buffer.from('LAST')])));
  every(50, () => asking.socket.write('LAST'));
  const failure = await withPace({ admissions: [ours], sleep: hasty }, () => new Promise<never>(() => {})).catch(
    (error: Error) => error.message,
  );
  expect(failure).toMatch(/less than 512 KiB in 120 s/);
  await expect.poll(() => slow.isCut).toBe(true);
  expect([sending.isCut, asking.isCut]).toEqual([false, false]);
});
