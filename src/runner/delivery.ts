/** How the child gets its lease beside variables: files, and servers on this machine that it asks. */
import { ENDPOINT_KINDS, type EndpointContext, type Lease, type LocalEndpoints } from '../broker/provider.ts';
import { type DeliveredFiles, deliverFiles, sweepDelivered } from './delivered-files.ts';
import type { Isolation } from './isolation.ts';
import { FILE_PLACES, type FilePlace } from './memory-place.ts';

/** `file_memory`, `file_runtime_dir`, `file_state_dir`: files, and where they lie. */
export const DELIVERY_KINDS = [
  ...FILE_PLACES.map((place) => `file_${place}` as const),
  ...ENDPOINT_KINDS,
] as const;
export type DeliveryKind = `file_${FilePlace}` | LocalEndpoints['kind'];

export interface Delivery {
  /** Child variable → path. */
  readonly fileVariables: Readonly<Record<string, string>>;
  readonly endpoints: LocalEndpoints | null;
  /** Empty where the child gets variables alone. */
  readonly kinds: readonly DeliveryKind[];
  /** Removes the files and closes the endpoints. Never rejects; may be called again. */
  close(): Promise<void>;
}

export interface DeliverInput {
  readonly lease: Lease;
  /** Child variable → name of the lease's value. */
  readonly files: Readonly<Record<string, string>>;
  readonly callerEnv: Readonly<Record<string, string>>;
  readonly isolation: Pick<Isolation, 'dir'>;
  readonly uid: number;
  readonly endpoint: EndpointContext;
}

/**
 * Writes the files and starts the endpoints; removes what killed runs have left. Throws as `deliverFiles` and
 * `Lease.endpoints` do, and leaves nothing behind then.
 */
export async function deliver(input: DeliverInput): Promise<Delivery> {
  const { lease, files: wanted, callerEnv, isolation, uid } = input;
  const runtimeDir = callerEnv['XDG_RUNTIME_DIR'];
  sweepDelivered(runtimeDir, uid);
  const files: DeliveredFiles | null =
    Object.keys(wanted).length === 0
      ? null
      : deliverFiles({ files: wanted, lease, runtimeDir, isolationDir: isolation.dir, uid });
  let endpoints: LocalEndpoints | null = null;
  try {
    endpoints = (await lease.endpoints?.(input.endpoint)) ?? null;
  } catch (error) {
    files?.remove();
    throw error;
  }
  return {
    fileVariables: files?.variables ?? {},
    endpoints,
    kinds: [...(files ? [`file_${files.place}` as const] : []), ...(endpoints ? [endpoints.kind] : [])],
    async close() {
      files?.remove();
      await endpoints?.close();
    },
  };
}
