/** Getting a token to check: from a file or standard input, never from the command line, where anybody can read it. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { CapwrapError, systemErrorCode } from '../errors.ts';

/** A token has to fit an HTTP header; whatever is longer is none. */
const MAX_BYTES = 64 * 1024;

const HINT = 'capwrap issuer verify < token.jwt';

/**
 * The token in a file, or on standard input for `-`, without the blanks around it. Throws ERR_USAGE where there is
 * none to read; the message never holds what was read, nor a token that was given in place of a file name.
 */
export async function readToken(place: string, stdin: Readable = process.stdin): Promise<string> {
  if (/^(?:bearer\s|eyJ)/i.test(place)) {
    throw new CapwrapError(
      'ERR_USAGE',
      '"issuer verify" takes a file, not a token: every process can read arguments',
      {
        hint: HINT,
      },
    );
  }
  const bytes = place === '-' ? await readStream(stdin) : await readFile(place);
  const token = bytes.toString('utf8').trim();
  if (token !== '' && bytes.length <= MAX_BYTES) return token;
  throw new CapwrapError(
    'ERR_USAGE',
    `"${nameOf(place)}" holds ${token === '' ? 'nothing' : 'more than a token'}`,
    {
      hint: HINT,
    },
  );
}

async function readStream(stdin: Readable & { isTTY?: boolean }): Promise<Buffer> {
  if (stdin.isTTY) {
    throw new CapwrapError('ERR_USAGE', '"standard input" is a terminal: the token would show on it', {
      hint: HINT,
    });
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    size += chunks.at(-1)?.length ?? 0;
    if (size > MAX_BYTES) break;
  }
  return Buffer.concat(chunks);
}

async function readFile(path: string): Promise<Buffer> {
  try {
    const file = await open(path, constants.O_RDONLY);
    try {
      return await readStream(file.createReadStream({ end: MAX_BYTES, autoClose: false }));
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new CapwrapError(
      'ERR_USAGE',
      `"${path}" can't be read (${systemErrorCode(error) ?? 'unknown error'})`,
      {
        hint: HINT,
        cause: error,
      },
    );
  }
}

function nameOf(place: string): string {
  return place === '-' ? 'standard input' : place;
}
