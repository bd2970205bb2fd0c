/** Host names through the operating system, as every other program on the machine sees them. */
import { lookup } from 'node:dns/promises';
import type { ResolveHost } from './connector.ts';

export const systemResolveHost: ResolveHost = async (name) => {
  const found = await lookup(name, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};
