import { describe, expect, it } from 'vitest';
import { createAddressGuard } from './address-guard.ts';

const guard = (allowPrivate: readonly string[], addresses: readonly string[] = []) =>
  createAddressGuard({ allowPrivate, allowPlain: false }, async () => addresses);

describe('addresses that targets may not connect to', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.255',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    '100::1',
    '4000::1',
  ])('%s', async (address) => {
    await expect(guard([]).addressesOf(address)).rejects.toMatchObject({ code: 'E_SSRF' });
    await expect(guard([], ['8.8.8.8', address]).addressesOf('name.example')).rejects.toMatchObject({ code: 'E_SSRF' });
  });
});

it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:8.8.8.8', '64:ff9b::808:808'])(
  '%s is public',
  async (address) => {
    expect(await guard([]).addressesOf(address)).toEqual([address]);
  },
);

it.each([
  '169.254.169.254',
  '169.254.0.1',
  '::ffff:169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '100.100.100.200',
  '168.63.129.16',
  'fd00:ec2::254',
  'fd20:ce::254',
  'fd00:c1::a9fe:a9fe',
  'fe80::1',
  'fe80::1%eth0',
])('%s is opened by no policy, whatever it says', async (address) => {
  const widest = ['0.0.0.0/0', '::/0', '169.254.0.0/16', 'fd00:ec2::/32', 'fe80::/10'];
  await expect(guard(widest).addressesOf(address)).rejects.toMatchObject({ code: 'E_SSRF' });
  await expect(guard(widest, ['10.0.0.1', address]).addressesOf('name.example')).rejects.toMatchObject({ code: 'E_SSRF' });
  expect(await guard(widest).addressesOf('10.0.0.1')).toEqual(['10.0.0.1']);
});

it('a range of the policy opens itself and nothing beside it', async () => {
  expect(await guard(['10.1.0.0/16']).addressesOf('10.1.255.1')).toEqual(['10.1.255.1']);
  expect(await guard(['10.1.0.0/16']).addressesOf('::ffff:10.1.0.1')).toEqual(['::ffff:10.1.0.1']);
  expect(await guard(['fd00:1::/32']).addressesOf('[fd00:1::5]')).toEqual(['fd00:1::5']);
  await expect(guard(['10.1.0.0/16']).addressesOf('10.2.0.1')).rejects.toMatchObject({ code: 'E_SSRF' });
  await expect(guard(['10.1.0.0/16'], ['10.1.0.1', '10.2.0.1']).addressesOf('x')).rejects.toMatchObject({ code: 'E_SSRF' });
});

it('a name without an address, and a range that is none, are errors', async () => {
  await expect(guard([]).addressesOf('nobody.example')).rejects.toMatchObject({ code: 'E_TARGET_UNREACHABLE' });
  for (const range of ['10.0.0.0', '10.0.0.0/33', 'x/8', '::1/129'])
    expect(() => guard([range])).toThrowError(expect.objectContaining({ code: 'E_TARGET' }));
});
