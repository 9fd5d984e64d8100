/** Certificates that the map names in place of the built-in roots. */
import { readFileSync } from 'node:fs';
import { CapwrapError, systemErrorCode } from '../errors.ts';

/** The PEM text of the map's `ca_file`; null for null. Throws ERR_PROVIDER_UNAVAILABLE where it can't serve. */
export function readCaFile(path: string | null): string | null {
  if (path === null) return null;
  try {
    const text = readFileSync(path, 'utf8');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  } catch (error) {
    const code = systemErrorCode(error) ?? 'unknown error';
    throw new CapwrapError('ERR_PROVIDER_UNAVAILABLE', `ca_file "${path}" can't be read (${code})`, {
      hint: 'name a readable PEM file in the map, or drop ca_file',
    });
  }
  throw new CapwrapError('ERR_PROVIDER_UNAVAILABLE', `ca_file "${path}" holds no PEM certificate`, {
    hint: 'name a PEM file in the map, or drop ca_file',
  });
}
