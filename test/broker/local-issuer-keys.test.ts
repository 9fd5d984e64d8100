/** Making, rotating and repairing the issuer's files. */
import { chmodSync, copyFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { describe, expect, test } from 'vitest';
import { endLease } from '../../src/broker/end-lease.ts';
import {
  readJwks,
  readKey,
  readName,
  readRevocationList,
  required,
} from '../../src/broker/providers/local-issuer/files.ts';
import { localIssuer } from '../../src/broker/providers/local-issuer/index.ts';
import { initIssuer } from '../../src/broker/providers/local-issuer/keys.ts';
import { claimsFor, signToken } from '../../src/broker/providers/local-issuer/token.ts';
import { verifyToken } from '../../src/broker/providers/local-issuer/verify-token.ts';
import { tempDir } from '../helpers/cli.ts';
import {
  brokerContext,
  CONFIG,
  expectation,
  freshIssuer,
  issue,
  issueRequest,
  NOW,
  remove,
  snapshot,
  tokenOf,
} from './local-issuer-support.ts';

const KEEP = { issuer: null, rotate: false };
const ROTATE = { issuer: null, rotate: true };
const DAY = 24 * 3600;
const at = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

describe('init', () => {
  test('makes a key that only its owner can read, and publishes its public part alone', async () => {
    const { files } = await freshIssuer();
    const { d, ...shown } = required(readKey(files));
    expect(readJwks(files)).toEqual([shown]);
    expect(shown.kid).toBe(await calculateJwkThumbprint(shown));
    expect(d).toMatch(/^[\w-]{43}$/);
    expect(readRevocationList(files)).toMatchObject({
      version: 1,
      issuer: 'https://issuer.test',
      revoked: [],
    });
    expect(statSync(files.dir).mode & 0o777).toBe(0o700);
    expect(readdirSync(files.dir).sort()).toEqual(['issuer.json', 'jwks.json', 'key.json', 'revoked.json']);
    for (const name of readdirSync(files.dir))
      expect(statSync(join(files.dir, name)).mode & 0o777).toBe(0o600);
  });

  test('without a name it makes one of its own, and keeps it', async () => {
    const { files } = await freshIssuer();
    remove(files.name);
    const first = await initIssuer(files, KEEP, NOW);
    const second = await initIssuer(files, KEEP, NOW);
    expect(first.issuer).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
    expect(second).toEqual({ issuer: first.issuer, kid: first.kid, key: 'kept', retired: 0 });
    expect(readRevocationList(files)?.issuer).toBe(first.issuer);
  });

  test('several at the same time agree on one key', async () => {
    const { files } = await freshIssuer();
    rmSync(files.dir, { recursive: true });
    const states = await Promise.all([1, 2, 3, 4].map(() => initIssuer(files, KEEP, NOW)));
    expect(new Set(states.map(({ kid }) => kid)).size).toBe(1);
    expect(states.map(({ key }) => key).sort()).toEqual(['created', 'kept', 'kept', 'kept']);
  });

  test('half-written files of a crash are removed, other files are not', async () => {
    const { files } = await freshIssuer();
    for (const name of ['key.json.12.abc.tmp', 'jwks.json.7.x.tmp', 'notes.tmp']) {
      writeFileSync(join(files.dir, name), 'secret', { mode: 0o600 });
    }
    await initIssuer(files, KEEP, NOW);
    expect(readdirSync(files.dir).filter((name) => name.endsWith('.tmp'))).toEqual(['notes.tmp']);
  });

  test.each(['key', 'jwks', 'revoked', 'name'] as const)(
    'a loose mode of the %s file is refused',
    async (name) => {
      const { files } = await freshIssuer();
      chmodSync(files[name], 0o644);
      await expect(initIssuer(files, KEEP, NOW)).rejects.toMatchObject({
        code: 'ERR_STATE_UNSAFE',
        message: `"${files[name]}" can be read or written by others`,
        hint: `chmod 600 ${files[name]}`,
      });
    },
  );

  test.each(['key', 'jwks', 'revoked', 'name'] as const)('a damaged %s file is refused', async (name) => {
    const { files } = await freshIssuer();
    writeFileSync(files[name], '{"version":1,"keys":{}');
    await expect(initIssuer(files, KEEP, NOW)).rejects.toMatchObject({
      code: 'ERR_STATE_UNSAFE',
      message: `"${files[name]}" is damaged: it is not of the documented format`,
      hint: `rm ${files[name]}; capwrap issuer init`,
    });
  });

  test('a symbolic link in place of the key or the folder is refused', async () => {
    const { files } = await freshIssuer();
    const elsewhere = join(tempDir(), 'key.json');
    copyFileSync(files.key, elsewhere);
    remove(files.key);
    symlinkSync(elsewhere, files.key);
    await expect(initIssuer(files, KEEP, NOW)).rejects.toMatchObject({ code: 'ERR_STATE_UNSAFE' });
    rmSync(files.dir, { recursive: true });
    symlinkSync(tempDir(), files.dir);
    await expect(initIssuer(files, KEEP, NOW)).rejects.toMatchObject({
      code: 'ERR_STATE_UNSAFE',
      message: `"${files.dir}" is a symbolic link`,
    });
  });
});

describe('rotation', () => {
  test('tokens of the old key stay good until the last of them is over, then the key is gone', async () => {
    const { stateDir, files } = await freshIssuer();
    const old = await issue(stateDir);
    const rotated = await initIssuer(files, ROTATE, NOW);
    expect(rotated).toMatchObject({ key: 'rotated', retired: 1 });
    const fresh = await issue(stateDir);
    expect(fresh.facts['kid']).toBe(rotated.kid);
    expect(old.facts['kid']).not.toBe(rotated.kid);
    for (const lease of [old, fresh]) {
      expect(await verifyToken(tokenOf(lease), expectation(files))).toMatchObject({ status: 'valid' });
      expect((await endLease(localIssuer, lease, brokerContext(stateDir).context)).outcome).toBe(
        'revoked_verified',
      );
    }
    expect(await initIssuer(files, KEEP, at(DAY + 299))).toMatchObject({ key: 'kept', retired: 1 });
    expect(await initIssuer(files, KEEP, at(DAY + 301))).toMatchObject({ key: 'kept', retired: 0 });
  });

  test('a retired key counts no more from its end on, whether or not it was swept from the file', async () => {
    const { files } = await freshIssuer();
    const request = issueRequest({ deadline: at(3 * DAY) }); // longer than `issue` grants
    const token = await signToken(
      required(readKey(files)),
      'https://issuer.test',
      claimsFor(request, CONFIG, NOW),
    );
    await initIssuer(files, ROTATE, NOW);
    const later = (seconds: number) => verifyToken(token, expectation(files, { now: at(seconds) }));
    expect(await later(DAY + 200)).toMatchObject({ status: 'valid' });
    expect(await later(DAY + 301)).toMatchObject({ status: 'refused', reason: 'unknown_key' });
  });

  test('a key that is retired while a run reads it still signs for as long as it is published', async () => {
    const { stateDir, files } = await freshIssuer();
    const key = required(readKey(files));
    await initIssuer(files, ROTATE, NOW);
    writeFileSync(files.key, JSON.stringify(key)); // what that run had read before
    const lease = await issue(stateDir);
    expect(await verifyToken(tokenOf(lease), expectation(files))).toMatchObject({ status: 'valid' });
  });

  test('a second rotation does not prolong what the first one retired', async () => {
    const { files } = await freshIssuer();
    await initIssuer(files, ROTATE, NOW);
    const ends = () => required(readJwks(files)).flatMap(({ exp }) => exp ?? []);
    const [first] = ends();
    await initIssuer(files, ROTATE, at(100));
    expect(ends().sort()).toEqual([first, (first ?? 0) + 100]);
  });
});

describe('after a crash', () => {
  test('a rotation cut short at any write leaves an issuer that issues, or is repaired by init', async () => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issue(stateDir);
    const before = snapshot(files.dir);
    await initIssuer(files, ROTATE, NOW);
    const after = snapshot(files.dir);
    const oldKey = before.get('key.json');
    const newKey = after.get('key.json');
    const oldKeys = JSON.parse(String(before.get('jwks.json'))).keys;
    const { d: _, ...added } = JSON.parse(String(newKey));
    const unmarked = JSON.stringify({ keys: [added, ...oldKeys] });
    const stages = [
      { key: oldKey, jwks: unmarked }, // cut after the keys were published
      { key: newKey, jwks: unmarked }, // cut after the key was replaced
    ];
    for (const { key = '', jwks } of stages) {
      writeFileSync(files.key, key);
      writeFileSync(files.jwks, jwks);
      expect(await verifyToken(tokenOf(await issue(stateDir)), expectation(files))).toMatchObject({
        status: 'valid',
      });
      expect(await verifyToken(tokenOf(lease), expectation(files))).toMatchObject({ status: 'valid' });
      await initIssuer(files, KEEP, NOW);
      const [signing, ...others] = required(readJwks(files));
      expect(signing).toMatchObject({ kid: required(readKey(files)).kid });
      expect(signing?.exp).toBeUndefined();
      expect(others.map(({ exp }) => typeof exp)).toEqual(['number']);
    }
  });

  test('a lost revocation list takes every key with it: what was revoked does not come back', async () => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issue(stateDir);
    await endLease(localIssuer, lease, brokerContext(stateDir).context);
    remove(files.revoked);
    const state = await initIssuer(files, KEEP, NOW);
    expect(state).toMatchObject({ key: 'replaced', retired: 0, issuer: 'https://issuer.test' });
    expect(await verifyToken(tokenOf(lease), expectation(files))).toMatchObject({ reason: 'unknown_key' });
  });

  test('so does a lost list whose repair was itself cut short', async () => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issue(stateDir);
    remove(files.revoked, files.key);
    await initIssuer(files, KEEP, NOW);
    expect(await verifyToken(tokenOf(lease), expectation(files))).toMatchObject({ reason: 'unknown_key' });
  });

  test('lost published keys come back from the signing key, a lost name as a new one', async () => {
    const { stateDir, files } = await freshIssuer();
    const lease = await issue(stateDir);
    remove(files.jwks);
    await initIssuer(files, KEEP, NOW);
    expect(await verifyToken(tokenOf(lease), expectation(files))).toMatchObject({ status: 'valid' });
    remove(files.name);
    await initIssuer(files, KEEP, NOW);
    expect(readName(files)).toMatch(/^urn:uuid:/);
  });
});
