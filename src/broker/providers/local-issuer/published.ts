/** Reading what an issuer has published, from a file or a URL. What can't be had, or is old, is a reason to refuse. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { readAll } from '../../../base/private-files.ts';
import { CapwrapError } from '../../../errors.ts';
import { isSecure } from '../../endpoint.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const TIMEOUT_MS = 5000;

/** Oldest copy of a document that an answer may hold, in seconds: a revocation takes effect within this time. */
const MAX_AGE = 60;

/** A document's text, or one line that says why there is none. Never both. */
export type Published =
  | { readonly text: string; readonly fault: null }
  | { readonly text: null; readonly fault: string };

/**
 * Reads a document afresh. A URL must be https, or http on this machine: anybody on the way could alter the rest.
 * No redirect is followed. Throws ERR_USAGE for a place that can't be meant.
 */
export async function readPublished(place: string, now: Date): Promise<Published> {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(place) ? fetchDocument(safeUrl(place), now) : readDocument(place);
}

function safeUrl(place: string): URL {
  const url = URL.canParse(place) ? new URL(place) : null;
  if (url?.username || url?.password) {
    throw new CapwrapError('ERR_USAGE', '"--jwks" and "--revoked" take no URL with a user name or password', {
      hint: 'fetch it with a program that takes them, and name the file',
    });
  }
  if (url !== null && isSecure(url)) return url;
  throw new CapwrapError(
    'ERR_USAGE',
    `"${place.split('?', 1)[0]}" is neither https nor http on this machine`,
    {
      hint: 'use an https:// URL, http://127.0.0.1:PORT, or a file',
    },
  );
}

async function fetchDocument(url: URL, now: Date): Promise<Published> {
  const shown = `${url.origin}${url.pathname}`; // a query may hold an access key
  try {
    const answer = await fetch(url, {
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { accept: 'application/json, application/jwk-set+json', 'cache-control': 'no-cache' },
    });
    if (answer.status !== 200) return fault(`"${shown}" answered ${answer.status}`);
    if (ageOf(answer.headers, now) > MAX_AGE)
      return fault(`"${shown}" answered with a copy over ${MAX_AGE} s old`);
    return { text: await readBody(answer), fault: null };
  } catch {
    return fault(`"${shown}" can't be read`);
  }
}

/** RFC 9111: `Age` as caches count it, and the time since the origin's `Date`; an answer without a date has no known age. */
function ageOf(headers: Headers, now: Date): number {
  const sent = Date.parse(headers.get('date') ?? '');
  const apparent = (now.getTime() - sent) / 1000;
  const age = Math.max(Number(headers.get('age') ?? 0), apparent);
  return Number.isNaN(age) ? Number.POSITIVE_INFINITY : age;
}

async function readBody(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A published copy need not be private, and may be a symbolic link, as files mounted into containers are. */
function readDocument(path: string): Published {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile() || stat.size > MAX_BYTES) return fault(`"${path}" is not a file of a sensible size`);
      return { text: readAll(fd, stat.size).toString('utf8'), fault: null };
    } finally {
      closeSync(fd);
    }
  } catch {
    return fault(`"${path}" can't be read`);
  }
}

function fault(text: string): Published {
  return { text: null, fault: text };
}
