/** A state directory with a log and a collector, and the command in between. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AuditShipOptions, auditShip, type ShipTimes } from '../../src/commands/audit-ship.ts';
import { CLOSED, seal } from '../audit/samples.ts';
import { tempDir } from '../helpers/cli.ts';
import { printing } from './audit-context.ts';

/** Short enough for a test; no test depends on how long they are. */
export const QUICK: ShipTimes = { look: 5, pauses: { first: 2, longest: 10, patience: 100 } };

/** The lines of a log of so many records, the first at `start`. */
export function logOf(count: number, start?: number): string[] {
  return seal(
    Array.from({ length: count }, (_, n) => ({ ...CLOSED, task_id: `task-${n}` })),
    start,
  );
}

export function appendLines(stateDir: string, lines: readonly string[]): void {
  appendFileSync(join(stateDir, 'audit.jsonl'), lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
}

export interface ShipGround {
  readonly stateDir: string;
  readonly cursorFile: string;
  /** The cursor as it is stored; null where there is none. */
  cursor(): Record<string, unknown> | null;
  /** Writes `audit.ship` into the user's config. */
  configure(ship: Readonly<Record<string, string>>): void;
  /** Runs the command in this process. Resolves with its status and what it printed. */
  ship(options?: AuditShipOptions, json?: boolean): Promise<ShipOutput>;
  /** The same, with `--follow`, until `end` is called. */
  follow(): Following;
}

interface Following {
  /** What it has printed on standard error so far. */
  readonly stderr: () => string;
  readonly end: () => Promise<ShipOutput>;
}

interface ShipOutput {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function shipGround(endpoint: string, stateDir = tempDir()): ShipGround {
  const cursorFile = join(stateDir, 'ship-cursor.json');
  const configure = (ship: Readonly<Record<string, string>>) =>
    writeFileSync(join(stateDir, 'config.yaml'), JSON.stringify({ audit: { ship } }), { mode: 0o600 });
  configure({ endpoint });
  return {
    stateDir,
    cursorFile,
    cursor: () => (existsSync(cursorFile) ? JSON.parse(readFileSync(cursorFile, 'utf8')) : null),
    configure,
    async ship(options = {}, json = false) {
      const { context, stdout, stderr } = printing(stateDir, { json });
      const status = await auditShip(context, { times: QUICK, ...options });
      return { status, stdout: stdout(), stderr: stderr() };
    },
    follow() {
      const { context, stdout, stderr } = printing(stateDir);
      const stop = new AbortController();
      const running = auditShip(context, { times: QUICK, follow: true, signal: stop.signal });
      const end = async () => {
        stop.abort();
        return { status: await running, stdout: stdout(), stderr: stderr() };
      };
      return { stderr, end };
    },
  };
}
