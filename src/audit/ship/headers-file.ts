/** The headers that a collector wants from its senders, keys among them: one `Name: value` a line, in a private file. */
import { readPrivateFile } from '../../base/private-files.ts';
import { CapwrapError } from '../../errors.ts';
import { SecretRegistry } from '../../redact/registry.ts';

export interface CollectorHeaders {
  readonly headers: Readonly<Record<string, string>>;
  /** A text of the collector's without any of the values. */
  readonly mask: (text: string) => string;
}

const NO_HEADERS: CollectorHeaders = { headers: {}, mask: (text) => text };

/**
 * Reads the file at each start, so that a key that was changed is used. Null for none. Throws ERR_STATE_UNSAFE where others
 * could read or write it, ERR_CONFIG_INVALID for a line that isn't understood; no message has a value in it.
 */
export function readHeadersFile(path: string | null, uid: number): CollectorHeaders {
  if (path === null) return NO_HEADERS;
  const bytes = readPrivateFile(path, uid, MAX_BYTES);
  if (bytes === null) {
    throw new CapwrapError('ERR_CONFIG_INVALID', `headers_file "${path}" does not exist`, {
      hint: 'write "Name: value" lines into it, chmod 600; or take headers_file out of audit.ship',
    });
  }
  const headers: Record<string, string> = Object.create(null);
  for (const [at, line] of bytes.toString().split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [name, value] = readHeader(line, (why) => invalid(path, at + 1, why));
    if (name in headers) throw invalid(path, at + 1, `names "${name}" a second time`);
    headers[name] = value;
  }
  const secrets = new SecretRegistry();
  for (const [name, value] of Object.entries(headers)) {
    // A scheme (`Bearer`) stands before a key, and whoever repeats the key may leave it out.
    for (const secret of [value, ...value.split(/\s+/).slice(1)]) secrets.register(name, secret);
  }
  return { headers, mask: (text) => secrets.mask(text) };
}

const MAX_BYTES = 16 * 1024;

/** A token and a field value (RFC 9110 section 5), and none that says how the request itself is framed or read. */
function readHeader(line: string, fault: (why: string) => CapwrapError): readonly [string, string] {
  const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}):[ \t]*(.*)$/.exec(line) ?? [];
  if (name === '') throw fault('is not "Name: value"');
  const lower = name.toLowerCase();
  if (RESERVED.test(lower)) throw fault(`names "${lower}", which capwrap sets itself`);
  const trimmed = value.trim();
  if (!/^[\x20-\x7e\t]+$/.test(trimmed))
    throw fault(`has a value of "${lower}" that is not plain ASCII text`);
  return [lower, trimmed];
}

const RESERVED =
  /^(?:content-.*|host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|accept.*)$/;

function invalid(path: string, line: number, why: string): CapwrapError {
  return new CapwrapError('ERR_CONFIG_INVALID', `headers_file "${path}": line ${line} ${why}`, {
    hint: 'write one header a line: Authorization: Bearer …',
  });
}
