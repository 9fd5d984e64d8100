/** ListObjectsV2. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
import type { StoredObject } from './state.ts';
import { type Call, queryValue, Refusal, type Reply } from './wire.ts';
import { xmlDocument } from './xml.ts';

/** A page of keys in UTF-8 order, with common prefixes where a delimiter is given. */
export function listObjects(call: Call, name: string, bucket: ReadonlyMap<string, StoredObject>): Reply {
  const prefix = queryValue(call, 'prefix') ?? '';
  const delimiter = queryValue(call, 'delimiter') ?? '';
  const encoding = queryValue(call, 'encoding-type');
  const limit = queryValue(call, 'max-keys') ?? '1000';
  if (!/^\d{1,9}$/.test(limit)) throw invalid('Provided max-keys not an integer or within integer range');
  if (encoding !== undefined && encoding !== 'url') {
    throw invalid('Invalid Encoding Method specified in Request');
  }
  const token = queryValue(call, 'continuation-token');
  const after =
    token === undefined
      ? (queryValue(call, 'start-after') ?? '')
      : Buffer.from(token, 'base64url').toString();

  const keys = [...bucket.keys()].filter((key) => key.startsWith(prefix));
  keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  // Each entry is a key or, below a delimiter, what all keys up to it have in common.
  const entries = [...new Set(keys.map((key) => entryOf(key, prefix, delimiter)))].filter(
    (entry) => Buffer.compare(Buffer.from(entry), Buffer.from(after)) > 0,
  );
  const page = entries.slice(0, Math.min(Number(limit), 1000));
  const truncated = page.length < entries.length;
  const show = (text: string) =>
    encoding === 'url' ? encodeURIComponent(text).replaceAll('%2F', '/') : text;
  const body = xmlDocument('ListBucketResult', 'http://s3.amazonaws.com/doc/2006-03-01/', {
    Name: name,
    Prefix: show(prefix),
    Delimiter: delimiter === '' ? undefined : show(delimiter),
    MaxKeys: limit,
    KeyCount: page.length,
    EncodingType: encoding,
    ContinuationToken: token,
    NextContinuationToken: truncated ? Buffer.from(page.at(-1) ?? '').toString('base64url') : undefined,
    IsTruncated: truncated,
    Contents: page.flatMap((entry) => {
      const object = bucket.get(entry);
      return object === undefined || (delimiter !== '' && entry.slice(prefix.length).includes(delimiter))
        ? []
        : [
            {
              Key: show(entry),
              LastModified: object.lastModified.toISOString(),
              ETag: object.etag,
              Size: object.body.length,
              StorageClass: 'STANDARD',
            },
          ];
    }),
    CommonPrefixes: page
      .filter((entry) => delimiter !== '' && entry.slice(prefix.length).includes(delimiter))
      .map((entry) => ({ Prefix: show(entry) })),
  });
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

function entryOf(key: string, prefix: string, delimiter: string): string {
  const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
  return end < 0 ? key : key.slice(0, end + delimiter.length);
}

function invalid(message: string): Refusal {
  return new Refusal(400, 'InvalidArgument', message);
}
