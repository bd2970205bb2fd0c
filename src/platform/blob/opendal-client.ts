/**
 * The process's one gate to blob services. OpenDAL's HTTP client is made with its first request, and takes its proxy from the
 * environment then; so the first request is made here, with the gate in the environment for as long as that takes. If it does not
 * come through the gate, no operator is ever given out.
 */
import { Buffer } from 'node:buffer';
import type { Rng } from '../base/ports.ts';
import { type EgressGate, openEgressGate } from './egress-gate.ts';

let opening: Promise<EgressGate> | undefined;
let hostsPastIt: string | null = null;

/** One for the process, because the client is. Fails when the client would connect past it. */
export function processEgressGate(rng: Rng): Promise<EgressGate> {
  opening ??= openAndEnter(rng);
  return opening;
}

/**
 * Before anything else is asked of a blob service: the hosts of the product's own object store are connected to directly. Its calls
 * hold up the thread on which the gate would have to answer them.
 */
export async function letPastGate(rng: Rng, hosts: readonly string[]): Promise<void> {
  const names = hosts.join(',');
  if (hostsPastIt === names) return;
  if (opening !== undefined) throw new Error('the gate to blob services was opened before the object store was');
  hostsPastIt = names;
  await processEgressGate(rng);
}

const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
/** The first two name what no proxy is used for; the third has HTTP_PROXY passed over. */
const otherVariables = ['NO_PROXY', 'no_proxy', 'REQUEST_METHOD'];

async function openAndEnter(rng: Rng): Promise<EgressGate> {
  const gate = await openEgressGate(Buffer.from(rng.bytes(32)).toString('hex'));
  const { Operator } = await import('opendal');
  const before = [...proxyVariables, ...otherVariables].map((name): [string, string | undefined] => [name, process.env[name]]);
  try {
    for (const name of proxyVariables) process.env[name] = gate.proxyUrl;
    for (const name of otherVariables) delete process.env[name];
    if (hostsPastIt !== null) process.env['NO_PROXY'] = hostsPastIt;
    for (const protocol of ['http', 'https']) {
      const passed = gate.passed;
      const nowhere = new Operator('s3', {
        endpoint: `${protocol}://gate.invalid`,
        bucket: 'none',
        region: 'none',
        access_key_id: 'none',
        secret_access_key: 'none',
        disable_config_load: 'true',
        disable_ec2_metadata: 'true',
      });
      await nowhere.stat('none').catch(() => {});
      if (gate.passed === passed) throw new Error('requests to blob services would not be judged: the client does not use the gate');
    }
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
  return gate;
}
