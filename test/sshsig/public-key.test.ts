/** Which public key lines are taken, and why the others are refused. */
import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parsePublicKey, publicKeyFault } from '../../src/sshsig/public-key.ts';
import { ROOT } from '../helpers/cli.ts';
import { makeEd25519Key, makeSkKey, mpint, str } from './build-sk.ts';
import { VECTORS } from './vectors.ts';

test.each(VECTORS)('$name: read, with the fingerprint of ssh-keygen -l', (vector) => {
  const key = parsePublicKey(vector.publicKey);
  const [type, , comment] = vector.publicKey.split(' ');
  expect(key).toMatchObject({ type, comment, fingerprint: vector.fingerprint, application: null });
  expect(key.key.type).toBe('public');
});

test.each(['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'] as const)(
  '%s: read',
  (type) => {
    const made = makeSkKey(type, 'ssh:capwrap', 'two words');
    expect(parsePublicKey(`  ${made.publicLine}\n`)).toMatchObject({
      type,
      application: 'ssh:capwrap',
      comment: 'two words',
      blob: made.blob,
    });
  },
);

const PLAIN = makeEd25519Key();
const BLOB = PLAIN.blob.toString('base64');
const POINT = PLAIN.blob.subarray(-32);
const SMALL = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
const MODULUS = Buffer.concat([Buffer.from([0xc1]), Buffer.alloc(255, 0x5b)]);
const P256 = parsePublicKey(VECTORS.find(({ name }) => name.startsWith('p256'))?.publicKey ?? '');

const rsa = (e: Uint8Array, n: Uint8Array) => line('ssh-rsa', mpint(e), mpint(n));
const line = (type: string, ...fields: Buffer[]) =>
  `${type} ${Buffer.concat([str(type), ...fields]).toString('base64')}`;
const offCurve = Buffer.concat([P256.blob.subarray(0, -1), Buffer.from([(P256.blob.at(-1) ?? 0) ^ 1])]);

const FAULTS: Readonly<Record<string, readonly [line: string, fault: string]>> = {
  nothing: ['', 'is not an OpenSSH public key of a known type'],
  prose: ['the key of alice', 'is not an OpenSSH public key of a known type'],
  'a type alone': ['ssh-ed25519', 'holds damaged base64'],
  'base64 with something else in it': [
    `ssh-ed25519 ${BLOB.slice(0, 20)}!${BLOB.slice(20)}`,
    'holds damaged base64',
  ],
  'base64 without its end': [`ssh-ed25519 ${BLOB.slice(0, -4)}`, 'is cut short'],
  'bytes after the key': [line('ssh-ed25519', str(POINT), str('x')), 'has bytes after its end'],
  'a short Ed25519 key': [
    line('ssh-ed25519', str(POINT.subarray(1))),
    'holds an Ed25519 key that is not 32 bytes long',
  ],
  'another type inside': [`ecdsa-sha2-nistp256 ${BLOB}`, 'names another type than its key has'],
  'a certificate': [
    line('ssh-ed25519-cert-v01@openssh.com', str(POINT)),
    'is a certificate, where a plain public key is wanted',
  ],
  'a certificate behind a plain type': [
    `ssh-ed25519 ${line('ssh-rsa-cert-v01@openssh.com').split(' ')[1]}`,
    'is a certificate, where a plain public key is wanted',
  ],
  DSA: ['ssh-dss AAAAB3NzaC1kc3M=', 'is a DSA key, which is too weak'],
  'options in front': [
    `no-touch-required,from="10.0.0.1" ${PLAIN.publicLine}`,
    'has options in front of the key, as in authorized_keys; give the key alone',
  ],
  'two lines': [`${PLAIN.publicLine}\n${PLAIN.publicLine}`, 'has more than one line'],
  'a private key': [
    '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----',
    'is a private key, where a public key is wanted',
  ],
  'a line without end': [`ssh-ed25519 ${'A'.repeat(20_000)}`, 'is longer than 16384 characters'],
  'a small RSA key': [
    rsa(Buffer.from(SMALL.e ?? '', 'base64url'), Buffer.from(SMALL.n ?? '', 'base64url')),
    'is an RSA key of 1024 bits, of which 2048 are the least',
  ],
  'RSA of 2047 bits': [
    rsa(Buffer.from([3]), Buffer.concat([Buffer.from([0x7f]), MODULUS.subarray(1)])),
    'is an RSA key of 2047 bits, of which 2048 are the least',
  ],
  'a huge RSA key': [
    rsa(Buffer.from([3]), Buffer.alloc(2049, 0x5b)),
    'is an RSA key of more than 16384 bits',
  ],
  'RSA with exponent 1': [rsa(Buffer.from([1]), MODULUS), 'is an RSA key with an unsafe exponent'],
  'RSA with an even exponent': [rsa(Buffer.from([2]), MODULUS), 'is an RSA key with an unsafe exponent'],
  'RSA with a long exponent': [rsa(Buffer.alloc(9, 3), MODULUS), 'is an RSA key with an unsafe exponent'],
  'a negative modulus': [
    line('ssh-rsa', mpint(Buffer.from([3])), str(MODULUS)),
    'holds a number that is not positive',
  ],
  'needless zeros': [
    line('ssh-rsa', str(Buffer.from([0, 3])), mpint(MODULUS)),
    'holds a number with needless zeros',
  ],
  'a point off its curve': [
    `ecdsa-sha2-nistp256 ${offCurve.toString('base64')}`,
    'holds a key that is not valid, such as a point off its curve',
  ],
  'a compressed point': [
    line('ecdsa-sha2-nistp256', str('nistp256'), str(Buffer.alloc(33, 2))),
    'holds a curve point that is not in uncompressed form',
  ],
  'another curve inside': [
    line('ecdsa-sha2-nistp384', str('nistp256'), str(Buffer.alloc(65, 4))),
    'names a curve that is not the one of its type',
  ],
  'an application that is not UTF-8': [
    line('sk-ssh-ed25519@openssh.com', str(POINT), str(Buffer.from([0xff]))),
    'holds text that is not UTF-8',
  ],
};

describe('refused', () => {
  test.each(Object.entries(FAULTS))('%s', (_, [text, fault]) => {
    expect(publicKeyFault(text)).toBe(fault);
  });

  test('a key that is taken has no fault, and RSA may have 2048 bits', () => {
    expect(publicKeyFault(PLAIN.publicLine)).toBeNull();
    expect(publicKeyFault(rsa(Buffer.from([1, 0, 1]), MODULUS))).toBeNull();
  });
});

test('verification needs nothing but node:crypto, so that it is cheap to load', () => {
  const room = join(ROOT, 'src', 'sshsig');
  const files = readdirSync(room).filter((name) => name !== 'sign.ts');
  const imports = files.flatMap((name) => [
    ...readFileSync(join(room, name), 'utf8').matchAll(/from '([^.][^']*)'/g),
  ]);
  expect(new Set(imports.map(([, name]) => name))).toEqual(new Set(['node:crypto']));
});
