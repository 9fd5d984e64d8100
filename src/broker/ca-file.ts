/** Certificates that a config names in place of the built-in roots. */
import { readFileSync } from 'node:fs';
import { CapwrapError, type ErrorCode, systemErrorCode } from '../errors.ts';

/** Where a `ca_file` was named: the code of a fault, and the place to look at. */
export interface CaFilePlace {
  readonly code: ErrorCode;
  readonly place: string;
}

const IN_THE_MAP: CaFilePlace = { code: 'ERR_PROVIDER_UNAVAILABLE', place: 'the map' };

/** The PEM text of a `ca_file`; null for null. Throws ERR_PROVIDER_UNAVAILABLE, or `named.code`, where it can't serve. */
export function readCaFile(path: string | null, named = IN_THE_MAP): string | null {
  if (path === null) return null;
  try {
    const text = readFileSync(path, 'utf8');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown error';
    throw new CapwrapError(named.code, `ca_file "${path}" can't be read (${code})`, {
      hint: `name a readable PEM file in ${named.place}, or drop ca_file`,
    });
  }
  throw new CapwrapError(named.code, `ca_file "${path}" holds no PEM certificate`, {
    hint: `name a PEM file in ${named.place}, or drop ca_file`,
  });
}
