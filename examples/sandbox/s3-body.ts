/** The body of an S3 upload: its framing removed, its checksums checked. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Call, Refusal } from './wire.ts';

export interface Upload {
  readonly body: Buffer;
  /** Checksum headers that the object keeps. */
  readonly checksums: Readonly<Record<string, string>>;
}

const ALGORITHMS: Readonly<Record<string, (body: Buffer) => string>> = {
  'x-amz-checksum-crc32': (body) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(body));
    return bytes.toString('base64');
  },
  'x-amz-checksum-sha1': (body) => createHash('sha1').update(body).digest('base64'),
  'x-amz-checksum-sha256': (body) => createHash('sha256').update(body).digest('base64'),
};

/** Decodes and checks an upload. Throws the Refusal that S3 answers with. */
export function readUpload(call: Call): Upload {
  const framed = call.headers['x-amz-content-sha256'] === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
  const chunked = (call.headers['content-encoding'] ?? '').split(/, */).includes('aws-chunked');
  if (framed !== chunked) {
    throw new Refusal(400, 'InvalidRequest', 'aws-chunked and x-amz-content-sha256 do not fit each other.');
  }
  const { body, trailers } = framed ? unframe(call) : { body: call.body, trailers: {} };
  const md5 = call.headers['content-md5'];
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64')) {
    throw new Refusal(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
  const given = Object.entries({ ...call.headers, ...trailers }).filter(([name]) =>
    /^x-amz-checksum-/.test(name),
  );
  for (const [name, value] of given) {
    const algorithm = Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name] : undefined;
    if (algorithm === undefined) {
      throw new Refusal(501, 'NotImplemented', `The sandbox does not compute ${name}.`);
    }
    if (algorithm(body) === value) continue;
    const short = name.replace('x-amz-checksum-', '').toUpperCase();
    throw new Refusal(400, 'BadDigest', `The ${short} you specified did not match the calculated checksum.`);
  }
  if (given.length === 0 && call.headers['x-amz-sdk-checksum-algorithm'] !== undefined) {
    throw new Refusal(
      400,
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  }
  return { body, checksums: Object.fromEntries(given) };
}

/** `<hex>\r\n<data>\r\n … 0\r\n<trailer>:<value>\r\n\r\n`, with the trailers that `x-amz-trailer` announced. */
function unframe(call: Call): { body: Buffer; trailers: Record<string, string> } {
  const chunks: Buffer[] = [];
  let rest = call.body;
  for (;;) {
    const end = rest.indexOf('\r\n');
    const head = end < 0 ? '' : rest.toString('latin1', 0, end);
    if (!/^[0-9a-f]{1,8}$/i.test(head)) throw incomplete();
    const size = Number.parseInt(head, 16);
    rest = rest.subarray(end + 2);
    if (size === 0) break;
    if (rest.toString('latin1', size, size + 2) !== '\r\n') throw incomplete();
    chunks.push(rest.subarray(0, size));
    rest = rest.subarray(size + 2);
  }
  const body = Buffer.concat(chunks);
  if (call.headers['x-amz-decoded-content-length'] !== String(body.length)) throw incomplete();
  const lines = rest
    .toString('latin1')
    .split('\r\n')
    .filter((line) => line !== '');
  const trailers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  if (Object.keys(trailers).join() !== (call.headers['x-amz-trailer'] ?? '').toLowerCase()) {
    throw new Refusal(
      400,
      'MalformedTrailerError',
      'The request contained trailing data that was not well-formed.',
    );
  }
  return { body, trailers };
}

function incomplete(): Refusal {
  return new Refusal(
    400,
    'IncompleteBody',
    'The request body terminated unexpectedly, or its length is not what its headers say.',
  );
}
