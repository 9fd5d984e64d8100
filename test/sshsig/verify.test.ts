/** Which signatures are accepted, with which grade, and why the others are refused. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parsePublicKey } from '../../src/sshsig/public-key.ts';
import { parseSignature } from '../../src/sshsig/signature.ts';
import { type PrincipalKey, type Verdict, verifySignature } from '../../src/sshsig/verify.ts';
import {
  armor,
  armorSignature,
  dearmor,
  makeEd25519Key,
  makeSkKey,
  mpint,
  type SkOptions,
  signEcdsa,
  signSk,
  str,
  TOUCHED,
  VERIFIED,
  withApplication,
} from './build-sk.ts';
import { MESSAGE, NAMESPACE, VECTORS } from './vectors.ts';

const alice = (publicLine: string): PrincipalKey => ({ principal: 'alice', key: parsePublicKey(publicLine) });

function verify(armored: string, publicLine: string, change: { message?: string; namespace?: string } = {}) {
  const { message = MESSAGE, namespace = NAMESPACE } = change;
  const signature = parseSignature(armored);
  const others = [makeEd25519Key(), makeSkKey('sk-ecdsa-sha2-nistp256@openssh.com')].map((key) => ({
    principal: 'bob',
    key: parsePublicKey(key.publicLine),
  }));
  const keys = [...others, alice(publicLine)];
  return verifySignature({ message: Buffer.from(message), signature, namespace, keys });
}

const refused = (reason: string, detail: string | RegExp = /./): Verdict =>
  ({ ok: false, reason, detail: expect.stringMatching(detail) }) as unknown as Verdict;

describe.each(VECTORS)('made by ssh-keygen: $name', ({ publicKey, fingerprint, signature }) => {
  test('is accepted, as a plain key', () => {
    expect(verify(signature, publicKey)).toEqual({
      ok: true,
      principal: 'alice',
      fingerprint,
      grade: 'ssh_key',
    });
  });

  test('is refused for another message, namespace or key', () => {
    expect(verify(signature, publicKey, { message: `${MESSAGE} ` })).toEqual(
      refused('bad_signature', `^"${fingerprint.replaceAll('+', '\\+')}" didn't sign this message$`),
    );
    expect(verify(signature, publicKey, { namespace: 'git' })).toEqual(
      refused('wrong_namespace', /^"capwrap-approval" is the signature's namespace, not git$/),
    );
    expect(verify(signature, makeEd25519Key().publicLine)).toEqual(
      refused('wrong_key', /^"SHA256:\S+" is none of the accepted keys$/),
    );
  });
});

describe.each(['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'] as const)('%s', (type) => {
  const key = makeSkKey(type);
  const signed = (options: Partial<SkOptions> = {}) =>
    signSk(key, { message: MESSAGE, namespace: NAMESPACE, ...options });

  test.each([
    ['not touched', 0, 'ssh_key'],
    ['touched', TOUCHED, 'ssh_key_touch'],
    ['touched and verified', TOUCHED | VERIFIED, 'ssh_key_verified'],
    ['verified, yet not touched', VERIFIED, 'ssh_key'],
    ['other bits only', 0xfa, 'ssh_key'],
  ])('%s', (_, flags, grade) => {
    for (const hash of ['sha256', 'sha512'] as const) {
      expect(verify(signed({ flags, counter: 0xfffffffe, hash }), key.publicLine)).toMatchObject({
        ok: true,
        principal: 'alice',
        grade,
        counter: 0xfffffffe,
      });
    }
  });

  test('flags and counter are signed: raising them afterwards is seen', () => {
    const blob = dearmor(signed({ flags: 0 }));
    for (const [fromEnd, value] of [
      [5, TOUCHED],
      [5, TOUCHED | VERIFIED],
      [1, 2],
    ] as const) {
      const raised = Buffer.from(blob);
      raised[raised.length - fromEnd] = value;
      expect(verify(armor(raised), key.publicLine)).toEqual(refused('bad_signature'));
    }
  });

  test('the application is the key of the map, not the one that signed', () => {
    const twin = withApplication(key, 'ssh:other');
    const armored = signSk(twin, { message: MESSAGE, namespace: NAMESPACE });
    expect(verify(armored, key.publicLine)).toEqual(
      refused('wrong_key', /is an accepted key with another application: ssh:other$/),
    );
    expect(verify(armored, twin.publicLine)).toMatchObject({ ok: true, grade: 'ssh_key_touch' });
    // It claims the right key, but signed for another application.
    const posed = signSk({ ...twin, blob: key.blob }, { message: MESSAGE, namespace: NAMESPACE });
    expect(verify(posed, key.publicLine)).toEqual(refused('bad_signature'));
  });

  test('altered message and wrong namespace', () => {
    expect(verify(signed(), key.publicLine, { message: 'x' })).toEqual(refused('bad_signature'));
    expect(verify(signed({ namespace: 'file' }), key.publicLine)).toEqual(refused('wrong_namespace'));
  });
});

describe('RSA', () => {
  const make = (modulusLength: number) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
    const { e = '', n = '' } = publicKey.export({ format: 'jwk' });
    const fields = [e, n].map((number) => mpint(Buffer.from(number, 'base64url')));
    const blob = Buffer.concat([str('ssh-rsa'), ...fields]);
    return { privateKey, blob, publicLine: `ssh-rsa ${blob.toString('base64')}` };
  };
  const signed = ({ blob, privateKey }: ReturnType<typeof make>, algorithm: string, hash: string) =>
    armorSignature(blob, { message: MESSAGE, namespace: NAMESPACE }, (bytes) =>
      Buffer.concat([str(algorithm), str(sign(hash, bytes, privateKey))]),
    );
  const key = make(2048);

  test('with SHA-1 is refused, whatever it calls itself', () => {
    expect(verify(signed(key, 'ssh-rsa', 'sha1'), key.publicLine)).toEqual(
      refused(
        'unsupported',
        /^"ssh-rsa" is not an accepted algorithm of this key; accepted: rsa-sha2-256, rsa/,
      ),
    );
    expect(verify(signed(key, 'rsa-sha2-256', 'sha1'), key.publicLine)).toEqual(refused('bad_signature'));
    expect(verify(signed(key, 'rsa-sha2-256', 'sha512'), key.publicLine)).toEqual(refused('bad_signature'));
  });

  test('with a key of 1024 bits is unsupported', () => {
    expect(verify(signed(make(1024), 'rsa-sha2-512', 'sha512'), key.publicLine)).toEqual(
      refused('unsupported', /^"SHA256:\S+" is an RSA key of 1024 bits/),
    );
  });

  test('a value whose leading zeros an agent dropped is good, a longer one is not', () => {
    const signedAs = (counter: number) => {
      const options = { message: `${MESSAGE}${counter}`, namespace: NAMESPACE };
      let value = Buffer.alloc(0);
      const armored = armorSignature(key.blob, options, (bytes) => {
        value = sign('sha512', bytes, key.privateKey);
        return Buffer.concat([str('rsa-sha2-512'), str(value[0] === 0 ? value.subarray(1) : value)]);
      });
      return { message: options.message, armored, isShort: value[0] === 0 };
    };
    let made = signedAs(0);
    for (let counter = 1; !made.isShort; counter += 1) made = signedAs(counter);
    expect(verify(made.armored, key.publicLine, { message: made.message })).toMatchObject({ ok: true });
    const long = armorSignature(key.blob, { message: MESSAGE, namespace: NAMESPACE }, (bytes) =>
      Buffer.concat([
        str('rsa-sha2-512'),
        str(Buffer.concat([Buffer.alloc(1), sign('sha512', bytes, key.privateKey)])),
      ]),
    );
    expect(verify(long, key.publicLine)).toEqual(refused('bad_signature'));
  });
});

describe('envelope', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  const type = 'ecdsa-sha2-nistp256';
  const blob = Buffer.concat([type, 'nistp256', point].map(str));
  const publicLine = `${type} ${blob.toString('base64')}`;
  const options = { message: MESSAGE, namespace: NAMESPACE };
  const inner = (algorithm: string, value: Buffer) => Buffer.concat([str(algorithm), str(value)]);

  test('a reserved field is part of what is signed', () => {
    const armored = armorSignature(blob, { ...options, reserved: 'later' }, (bytes) =>
      inner(type, signEcdsa(bytes, privateKey)),
    );
    expect(verify(armored, publicLine)).toMatchObject({ ok: true });
    const bytes = dearmor(armored);
    bytes[bytes.indexOf('later')] = 0x4c;
    expect(verify(armor(bytes), publicLine)).toEqual(refused('bad_signature'));
  });

  const CASES: Readonly<Record<string, readonly [(bytes: Buffer) => Buffer, Verdict]>> = {
    'another hash than the curve asks for': [
      (bytes) => inner(type, signEcdsa(bytes, privateKey, 'sha512')),
      refused('bad_signature'),
    ],
    'r and s with needless zeros': [
      (bytes) => inner(type, padded(signEcdsa(bytes, privateKey))),
      refused('bad_signature'),
    ],
    'bytes after s': [
      (bytes) => inner(type, Buffer.concat([signEcdsa(bytes, privateKey), Buffer.alloc(1)])),
      refused('bad_signature'),
    ],
    'r and s of zero': [() => inner(type, Buffer.concat([str(''), str('')])), refused('bad_signature')],
    'a number longer than the curve': [
      () => inner(type, Buffer.concat([mpint(Buffer.alloc(40, 1)), mpint(Buffer.alloc(32, 1))])),
      refused('bad_signature'),
    ],
    'the algorithm of another type': [
      (bytes) => inner('ssh-ed25519', signEcdsa(bytes, privateKey)),
      refused('unsupported', /^"ssh-ed25519" is not an accepted algorithm of this key/),
    ],
    'an algorithm nobody knows': [
      (bytes) => inner('webauthn-sk-ecdsa-sha2-nistp256@openssh.com', signEcdsa(bytes, privateKey)),
      refused('unsupported', /^"webauthn-sk/),
    ],
    'an algorithm with an escape sequence, which is shown escaped': [
      () => inner('\u001b[2Jx\u202e', Buffer.alloc(0)),
      refused('unsupported', /^"\\u\{1b\}\[2Jx\\u\{202e\}" is/),
    ],
  };

  test.each(Object.entries(CASES))('%s', (_, [signInner, verdict]) => {
    expect(verify(armorSignature(blob, options, signInner), publicLine)).toEqual(verdict);
  });

  test('a certificate as the key', () => {
    const certificate = Buffer.concat([str('ssh-ed25519-cert-v01@openssh.com'), str(Buffer.alloc(32))]);
    const armored = armorSignature(certificate, options, () => inner('ssh-ed25519', Buffer.alloc(64)));
    expect(verify(armored, publicLine)).toEqual(refused('unsupported', /is a certificate/));
  });

  /** The same numbers with one more zero byte in front. */
  function padded(value: Buffer): Buffer {
    const length = value.readUInt32BE();
    const fields = [value.subarray(4, 4 + length), value.subarray(8 + length)];
    return Buffer.concat(fields.map((field) => str(Buffer.concat([Buffer.alloc(1), field]))));
  }
});
