/** Signatures are read strictly, and no bytes whatever do more than be refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePublicKey, publicKeyFault } from '../../src/sshsig/public-key.ts';
import { parseSignature } from '../../src/sshsig/signature.ts';
import { verifySignature } from '../../src/sshsig/verify.ts';
import { SshFormatError } from '../../src/sshsig/wire.ts';
import { anyCharacter } from '../helpers/any-character.ts';
import { armor, armorSignature, dearmor, makeEd25519Key, makeSkKey, signSk, str } from './build-sk.ts';
import { MESSAGE, NAMESPACE, VECTORS } from './vectors.ts';

const KEY = makeEd25519Key();
const GOOD = KEY.sign(MESSAGE, NAMESPACE);
const LINES = GOOD.trimEnd().split('\n');
const BLOB = dearmor(GOOD);
const OPTIONS = { message: MESSAGE, namespace: NAMESPACE };
const INNER = Buffer.concat([str('ssh-ed25519'), str(Buffer.alloc(64))]);
const START = `doesn't start with "-----BEGIN SSH SIGNATURE-----"`;
const END = `doesn't end with "-----END SSH SIGNATURE-----"`;

test('an armored signature is taken apart', () => {
  expect(parseSignature(GOOD)).toMatchObject({
    keyBlob: KEY.blob,
    namespace: NAMESPACE,
    reserved: Buffer.alloc(0),
    hash: 'sha512',
    algorithm: 'ssh-ed25519',
    report: null,
  });
  const sk = makeSkKey('sk-ssh-ed25519@openssh.com');
  const report = { flags: 5, counter: 77 };
  expect(parseSignature(Buffer.from(signSk(sk, { ...OPTIONS, ...report })))).toMatchObject({ report });
});

test.each([
  ['without the last line end', GOOD.trimEnd()],
  ['with line ends of Windows', GOOD.replaceAll('\n', '\r\n')],
  ['on one line', [LINES[0], LINES.slice(1, -1).join(''), LINES.at(-1)].join('\n')],
])('taken: %s', (_, armored) => {
  expect(parseSignature(armored).keyBlob).toEqual(KEY.blob);
});

const body = (change: (blob: Buffer) => Buffer) => armor(change(Buffer.from(BLOB)));
const FAULTS: Readonly<Record<string, readonly [armored: string, reason: string]>> = {
  nothing: ['', START],
  'text in front': [`x\n${GOOD}`, START],
  'a blank line in front': [`\n${GOOD}`, START],
  'the head alone': [LINES[0] ?? '', END],
  'text behind': [`${GOOD}x`, END],
  'a second signature': [`${GOOD}${GOOD}`, 'holds damaged base64'],
  'no tail': [LINES.slice(0, -1).join('\n'), END],
  'nothing inside': [[LINES[0], LINES.at(-1)].join('\n'), 'holds damaged base64'],
  'a blank in the base64': [GOOD.replace('\nU1NI', '\nU1N I'), 'holds damaged base64'],
  'base64 of the URL alphabet': [GOOD.replace('\nU1NI', '\nU1N-'), 'holds damaged base64'],
  'bytes that are no ASCII': [GOOD.replace('\nU1NI', '\nU1Nŉ'), 'holds damaged base64'],
  'more than 16 KiB': [GOOD + ' '.repeat(16 * 1024), 'is longer than 16384 bytes'],
  'another magic': [body((blob) => blob.fill('X', 5, 6)), 'is not an SSH signature inside'],
  'version 2': [body((blob) => blob.fill(2, 9, 10)), 'has version 2, of which only 1 is known'],
  'a byte less': [body((blob) => blob.subarray(0, -1)), 'is cut short'],
  'a byte more': [body((blob) => Buffer.concat([blob, Buffer.alloc(1)])), 'has bytes after its end'],
  'a length beyond the end': [body((blob) => blob.fill(0xff, 10, 14)), 'is cut short'],
  'an empty namespace': [KEY.sign(MESSAGE, ''), 'has an empty namespace'],
  'a namespace that is not UTF-8': [
    body((blob) => blob.fill(0xff, blob.indexOf(NAMESPACE), blob.indexOf(NAMESPACE) + 1)),
    'holds text that is not UTF-8',
  ],
  'hash sha1': [
    armorSignature(KEY.blob, { ...OPTIONS, hash: 'sha1' }, () => INNER),
    'uses a hash other than sha256 and sha512',
  ],
  'bytes after the signature inside': [
    armorSignature(KEY.blob, OPTIONS, () => Buffer.concat([INNER, Buffer.alloc(1)])),
    'has bytes after its end',
  ],
  'a report of a security key that is cut': [
    armorSignature(KEY.blob, OPTIONS, () =>
      Buffer.concat([str('sk-ssh-ed25519@openssh.com'), str(Buffer.alloc(64)), Buffer.alloc(4)]),
    ),
    'is cut short',
  ],
};

test.each(Object.entries(FAULTS))('refused: %s', (_, [armored, reason]) => {
  expect(() => parseSignature(armored)).toThrow(new SshFormatError(reason));
});

const SK_KEYS = (['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'] as const).map((type) =>
  makeSkKey(type),
);
const SOUND = [
  ...VECTORS.map(({ name, publicKey, signature }) => ({ name, line: publicKey, armored: signature })),
  ...SK_KEYS.map((key) => ({ name: key.type, line: key.publicLine, armored: signSk(key, OPTIONS) })),
];

describe.each(SOUND)('$name', ({ line, armored }) => {
  const keys = [{ principal: 'alice', key: parsePublicKey(line) }];
  const blob = dearmor(armored);
  const isAccepted = (text: string) => {
    try {
      const signature = parseSignature(text);
      return verifySignature({ ...OPTIONS, message: Buffer.from(MESSAGE), signature, keys }).ok;
    } catch (error) {
      if (error instanceof SshFormatError) return false;
      throw error;
    }
  };

  test('is accepted as it is, and with no change to its bytes', () => {
    expect(isAccepted(armored)).toBe(true);
    const at = fc.nat(blob.length - 1);
    const changed = fc.oneof(
      fc.tuple(at, fc.integer({ min: 1, max: 255 })).map(([place, bits]) => {
        const other = Buffer.from(blob);
        other[place] = (other[place] ?? 0) ^ bits;
        return other;
      }),
      at.map((length) => blob.subarray(0, length)),
      fc
        .tuple(at, fc.uint8Array({ minLength: 1, maxLength: 8 }))
        .map(([place, more]) => Buffer.concat([blob.subarray(0, place), more, blob.subarray(place)])),
    );
    fc.assert(
      fc.property(changed, (other) => other.equals(blob) || !isAccepted(armor(other))),
      { numRuns: 150 },
    );
  });

  test('a key line with changed bytes has a fault or is another key', () => {
    const [type = '', base64 = ''] = line.split(' ');
    const key = Buffer.from(base64, 'base64');
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.integer({ min: 1, max: 255 }), (place, bits) => {
        const other = Buffer.from(key);
        other[place] = (other[place] ?? 0) ^ bits;
        const text = `${type} ${other.toString('base64')}`;
        const fault = publicKeyFault(text);
        return fault === null ? !parsePublicKey(text).blob.equals(key) : fault !== '';
      }),
      { numRuns: 100 },
    );
  });
});

test('any text and any bytes are refused with a reason', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  const signature = fc.oneof(
    fc.string({ unit: anyCharacter }),
    bytes,
    bytes.map((inside) => armor(inside)),
    bytes.map((inside) => armor(Buffer.concat([Buffer.from('SSHSIG\0\0\0\x01'), inside]))),
  );
  fc.assert(
    fc.property(signature, (armored) => {
      expect(() => parseSignature(armored)).toThrow(SshFormatError);
    }),
    { numRuns: 300 },
  );
  const types = fc.constantFrom('ssh-rsa', 'ecdsa-sha2-nistp521', 'sk-ecdsa-sha2-nistp256@openssh.com', 'x');
  const line = fc.tuple(types, bytes).map(([type, inside]) => {
    const blob = Buffer.concat([str(type), inside]);
    return `${type} ${blob.toString('base64')}`;
  });
  fc.assert(
    fc.property(fc.oneof(line, fc.string({ unit: anyCharacter })), (text) => publicKeyFault(text) !== null),
    { numRuns: 300 },
  );
});
