import { describe, expect, it } from 'vitest';
import { readHostKeyPin, signatureAlgorithms } from './host-keys.ts';

/** The key of github.com, with the fingerprint that GitHub publishes. */
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
const fingerprint = 'SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU';

describe('a pinned host key', () => {
  it.each([[key], [`${key} a comment`], [fingerprint], [`${fingerprint}=`]])('is %s', (text) => {
    expect(readHostKeyPin(text)?.fingerprint).toBe(fingerprint);
  });

  it.each([
    [''],
    ['SHA256:'],
    [fingerprint.slice(0, -1)],
    [`${fingerprint}A`],
    [fingerprint.replace('SHA256', 'MD5')],
    ['MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48'],
    ['ssh-dss AAAAB3NzaC1kc3MAAACBAOw='],
    [key.replace('ssh-ed25519', 'ssh-rsa')],
    ['ssh-ed25519 AAAA'],
    [`sftp.bank.example ${key}`],
  ])('is not %j', (text) => {
    expect(readHostKeyPin(text)).toBeNull();
  });

  it('of a known type lets a server show keys of that type only', () => {
    expect(signatureAlgorithms([readHostKeyPin(key)!])).toEqual(['ssh-ed25519']);
    expect(signatureAlgorithms([readHostKeyPin(fingerprint)!])).toContain('rsa-sha2-512');
    expect(signatureAlgorithms([readHostKeyPin(fingerprint)!])).not.toContain('ssh-rsa');
  });
});
