#!/usr/bin/env node
// A program for provider `command`: sessions of a build cache. capwrap's request is on standard input, the answer goes
// to standard output, and everything for people to standard error, which capwrap drops.
import { readFileSync } from 'node:fs';

const EX_TEMPFAIL = 75; // nothing was issued: try again later
const EX_NOPERM = 77; // nothing was issued: refused

const asked = JSON.parse(readFileSync(0, 'utf8'));
const key = readFileSync(process.env.BUILD_CACHE_KEY_FILE, 'utf8').trim();

async function call(method, path, authorization, body) {
  const url = new URL(path, process.env.BUILD_CACHE_URL);
  const headers = { authorization: `Bearer ${authorization}`, 'content-type': 'application/json' };
  return fetch(url, { method, headers, body: body && JSON.stringify(body), redirect: 'error' });
}

const actions = {
  async issue() {
    const { scope, ttl_seconds: seconds, lease_id: note } = asked;
    const answer = await call('POST', '/sessions', key, { scope, seconds, note });
    if (answer.status === 429 || answer.status === 503) process.exit(EX_TEMPFAIL);
    if (answer.status === 401 || answer.status === 403) process.exit(EX_NOPERM);
    if (answer.status !== 201) throw new Error(`answered ${answer.status}`);
    const { id, token, user, scope: granted, expires_at } = await answer.json();
    return { capwrap_lease: 1, token, expires_at, principal: user, scope: granted, handle: { id } };
  },

  // By the handle, so that it works without the token too: `capwrap leases reap` has nothing else.
  async end() {
    const answer = await call('DELETE', `/sessions/${asked.handle.id}`, key);
    if (answer.status !== 204) throw new Error(`answered ${answer.status}`);
    return { answer: 'ended' };
  },

  // With the token itself, as a build would use it. A server that is busy says nothing about the session.
  async probe() {
    if (asked.lease === null) return { state: 'unknown' };
    const { status } = await call('GET', '/session', asked.lease.token);
    return { state: status === 200 ? 'alive' : status === 401 ? 'dead' : 'unknown' };
  },
};

console.log(JSON.stringify(await actions[process.argv[2]]()));
