/** The administrator's config: the one file outside the map that steers capwrap. */
import type { MapTrust } from '../audit/record.ts';

export interface AdminConfig {
  /** Fixed place of the state directory, or null. */
  readonly stateDir: string | null;
  /** The weakest trust of a map that is accepted, or null for any. */
  readonly requireMapTrust: MapTrust | null;
}

export const ADMIN_CONFIG_PATH = '/etc/capwrap/config.yaml';

export const NO_ADMIN_CONFIG: AdminConfig = { stateDir: null, requireMapTrust: null };
