/** Heads that were left elsewhere show what the chain alone can't: a cut end, and a log that was written anew. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { headText, placeOf, siteOf } from '../../src/audit/anchor/head.ts';
import { auditAnchor, auditVerify } from '../../src/commands/audit.ts';
import { CLOSED, DENIED, GRANTED, ISSUED_RECORD, seal, writeLog } from '../audit/samples.ts';
import { tempDir } from '../helpers/cli.ts';
import { findTool, needs } from '../helpers/tools.ts';
import { printing } from './audit-context.ts';

const EVENTS = [GRANTED, ISSUED_RECORD, CLOSED, DENIED, GRANTED, ISSUED_RECORD, CLOSED];
const LINES = seal(EVENTS);
/** The same lease told in another way, by somebody who can write the file: from record 4 on, and from the first on. */
const REWRITTEN = seal(EVENTS.map((fields, at) => (at < 3 ? fields : { ...fields, task_id: 'other' })));
const REPLACED = seal(EVENTS.map((fields) => ({ ...fields, task_id: 'other' })));
const hashOf = (line: string | undefined) => (JSON.parse(line ?? '') as { hash: string }).hash;

interface World {
  readonly stateDir: string;
  readonly file: (name: string, content: string | Buffer) => string;
  readonly head: (seq: number, lines?: readonly string[], place?: string) => string;
}

function world(lines: readonly string[] = LINES): World {
  const stateDir = tempDir();
  const path = writeLog(stateDir, lines);
  return {
    stateDir,
    file(name, content) {
      const at = join(stateDir, name);
      writeFileSync(at, content);
      return at;
    },
    head: (seq, of = LINES, place = placeOf(siteOf(path))) =>
      headText({ logId: hashOf(of[0]).slice(0, 16), seq, hash: hashOf(of[seq - 1]), place }),
  };
}

async function verify(stateDir: string, anchor: readonly string[], anchorKey: readonly string[] = []) {
  const json = printing(stateDir, { json: true });
  const status = await auditVerify(json.context, { anchor, anchorKey });
  const { context, stdout } = printing(stateDir);
  expect(await auditVerify(context, { anchor, anchorKey })).toBe(status);
  const found = JSON.parse(json.stdout());
  expect(found.ok).toBe(status === 0);
  return { status, text: stdout(), found, anchors: found.anchors };
}

/** The head of a record, in each way in which it may have been left. */
const KINDS: readonly (readonly [kind: string, content: (head: string) => string | Buffer])[] = [
  ['witness file', (head) => `2026-03-01T12:00:00.000Z build-7 capwrap[1]: ${head}\n`],
  ['syslog', (head) => `<86>1 2026-03-01T12:00:00.000Z build-7 capwrap 1 head - ${head}\n`],
  ['journal', (head) => `${JSON.stringify({ MESSAGE: head, _UID: '1000' })}\n`],
  [
    'CloudTrail',
    (head) => JSON.stringify({ Records: [{ requestParameters: { tags: [{ key: 'head', value: head }] } }] }),
  ],
  ['compressed', (head) => Buffer.concat([gzipSync('nothing\n'), gzipSync(head)])],
];

describe.each(KINDS)('a head in a %s', (_kind, content) => {
  test('fits the log that it is of, and says how far', async () => {
    const { stateDir, file, head } = world();
    const { status, text, anchors } = await verify(stateDir, [file('heads', content(head(5)))]);
    expect(status).toBe(0);
    expect(anchors).toMatchObject({
      matching: 1,
      newest: { seq: 5, hash: hashOf(LINES[4]), time: '2026-03-01T12:00:04.000Z' },
      covered_by_chain_alone: 2,
    });
    expect(text).toContain('the log up to seq=5 (2026-03-01T12:00:04.000Z) is the one that was there');
    expect(text).toContain('2 records behind it: covered by the chain alone');
  });

  test('shows a log that was cut, at each of its records', async () => {
    for (let kept = 1; kept < LINES.length; kept++) {
      const { stateDir, file, head } = world(LINES.slice(0, kept));
      const both = file('heads', content(`${head(1)} ${head(LINES.length)}`));
      const { status, text, anchors } = await verify(stateDir, [both]);
      expect(status).toBe(1);
      expect(anchors).toMatchObject({
        matching: 1,
        truncated: { heads: 1, first: { seq: 7 } },
        rewritten: null,
      });
      expect(text).toContain(
        `truncated: the head of seq=7 in ${both} is behind the log's end: records were cut off`,
      );
    }
  });

  test('shows a log that was written anew, and from where', async () => {
    const { stateDir, file, head } = world(REWRITTEN);
    const heads = [2, 3, 5, 7].map((seq) => head(seq)).join(' ');
    const { status, text, anchors } = await verify(stateDir, [file('heads', content(heads))]);
    expect(status).toBe(1);
    expect(anchors).toMatchObject({ matching: 2, rewritten: { heads: 2, first: { seq: 5 }, after: 3 } });
    expect(text).toContain('up to seq=3 it is unchanged');
  });

  test('shows a log that another took the place of', async () => {
    const { stateDir, file, head } = world(REPLACED);
    const old = await verify(stateDir, [file('heads', content(head(5)))]);
    expect(old.status).toBe(1);
    expect(old.text).toContain('no head fits this log: nothing vouches for it');
    const since = await verify(stateDir, [file('heads', content(`${head(5)} ${head(6, REPLACED)}`))]);
    expect(since.status).toBe(1);
    expect(since.anchors).toMatchObject({
      matching: 1,
      replaced: { heads: 1, logs: [hashOf(LINES[0]).slice(0, 16)] },
    });
  });
});

test('without an anchor none of that is claimed to be noticed', async () => {
  for (const lines of [LINES.slice(0, 2), REWRITTEN, REPLACED]) {
    const { context, stdout } = printing(world(lines).stateDir);
    expect(await auditVerify(context, {})).toBe(0);
    expect(stdout()).toContain('a chain alone cannot show that records were cut from its end');
  }
});

describe('what is not judged is said', () => {
  test('heads of logs of other places, which fail nothing', async () => {
    const { stateDir, file, head } = world();
    const other = head(3, REPLACED, '0'.repeat(16));
    const { status, text } = await verify(stateDir, [file('heads', `${head(7)}\n${other}\n${other}\n`)]);
    expect(status).toBe(0);
    expect(text).toContain('not judged: 2 heads of 1 log of other places');
  });

  test('but a place is one of the log where it left a head there before it was moved', async () => {
    const { stateDir, file, head } = world();
    const moved = [head(3, REPLACED, 'ab'.repeat(8)), head(7, LINES, 'ab'.repeat(8))].join('\n');
    const { status, anchors } = await verify(stateDir, [file('heads', moved)]);
    expect(status).toBe(1);
    expect(anchors.replaced).toMatchObject({ heads: 1 });
  });

  test('records behind a bad line, which are not called cut off', async () => {
    const { stateDir, file, head } = world(
      LINES.map((line, at) => (at === 4 ? line.replace('feat/x', 'feat/y') : line)),
    );
    const { status, anchors } = await verify(stateDir, [file('heads', `${head(3)} ${head(7)}`)]);
    expect(status).toBe(1);
    expect(anchors).toMatchObject({ matching: 1, truncated: null, unjudged: 1 });
  });

  test('a text without a head is no anchor', async () => {
    const { stateDir, file, head } = world();
    const empty = file('empty', 'nothing\n');
    const { status, text } = await verify(stateDir, [file('heads', head(7)), empty]);
    expect(status).toBe(1);
    expect(text).toContain(`no head found in ${empty}`);
  });
});

test('of a log that is gone, its heads are what is left', async () => {
  const { stateDir, file, head } = world();
  const heads = file('heads', head(7));
  renameSync(join(stateDir, 'audit.jsonl'), join(stateDir, 'away'));
  const { status, text } = await verify(stateDir, [heads]);
  expect(status).toBe(1);
  expect(text).toContain('there is no audit log');
  expect(text).toContain('no head fits this log');
});

test('a log that grows while it is held against its heads is looked at once more', async () => {
  const { stateDir, file, head } = world(LINES.slice(0, 5));
  const { context, stdout } = printing(stateDir, { json: true });
  // The log is read before the call gives way for the first time, and its anchors after that.
  const running = auditVerify(context, { anchor: [file('heads', `${head(4)} ${head(7)}`)] });
  appendFileSync(
    join(stateDir, 'audit.jsonl'),
    LINES.slice(5)
      .map((line) => `${line}\n`)
      .join(''),
  );
  expect(await running).toBe(0);
  expect(JSON.parse(stdout()).anchors).toMatchObject({
    matching: 2,
    truncated: null,
    covered_by_chain_alone: 0,
  });
});

test('heads by the hundred thousand, of any log, take a moment', async () => {
  const { stateDir, file, head } = world();
  const others = Array.from({ length: 100_000 }, (_, n) =>
    headText({
      logId: n.toString(16).padStart(16, '0'),
      seq: n + 1,
      hash: 'ab'.repeat(32),
      place: 'cd'.repeat(8),
    }),
  );
  const { status, anchors } = await verify(stateDir, [
    file('heads', `${others.join('\n')}\n${`${head(7)}\n`.repeat(10_000)}`),
  ]);
  expect(status).toBe(0);
  expect(anchors).toMatchObject({ matching: 1, other_logs: { heads: 100_000, logs: 100_000 } });
});

describe('an anchor', () => {
  const anchorOf = async (stateDir: string, options = {}) => {
    const { context, stdout, stderr } = printing(stateDir);
    expect(await auditAnchor(context, options)).toBe(0);
    return { text: stdout(), said: stderr() };
  };

  test('is one line of JSON, and says that nobody signed it', async () => {
    const { stateDir, file, head } = world();
    const { text, said } = await anchorOf(stateDir);
    expect(text.split('\n')).toHaveLength(2);
    expect(JSON.parse(text)).toMatchObject({
      capwrap_audit_anchor: 1,
      head: head(7),
      seq: 7,
      hash: hashOf(LINES[6]),
      records: 7,
      path: siteOf(join(stateDir, 'audit.jsonl')).path,
    });
    expect(said).toBe(
      'anchored: 7 records, head seq=7; not signed: whoever can change it can put another in its place\n',
    );
    expect((await verify(stateDir, [file('anchor', text)])).status).toBe(0);
  });

  test('is added to the end of a file, which is no link and not the log', async () => {
    const { stateDir } = world();
    const output = join(stateDir, 'anchors.jsonl');
    for (let n = 0; n < 2; n++) expect((await anchorOf(stateDir, { output })).text).toBe('');
    expect(readFileSync(output, 'utf8').trimEnd().split('\n')).toHaveLength(2);
    symlinkSync(output, join(stateDir, 'link'));
    const { context } = printing(stateDir);
    for (const [name, why] of [
      ['link', 'is a symbolic link'],
      ['audit.jsonl', 'is the audit log itself'],
    ]) {
      await expect(auditAnchor(context, { output: join(stateDir, name ?? '') })).rejects.toMatchObject({
        code: 'ERR_OUTPUT_WRITE',
        message: `"${join(stateDir, name ?? '')}" ${why}`,
      });
    }
  });

  test.each([
    [
      'a bad line',
      [LINES[0] ?? '', 'x'],
      '',
      'line 2 is bad: it is no record: not one JSON object that ends in seq, prev and hash',
    ],
    ['a torn line', LINES, '{"time', 'line 8 is torn'],
    ['no record', [], '', 'it holds no record'],
  ])('is not made of a log with %s', async (_name, lines, tail, why) => {
    const { stateDir } = world(lines);
    appendFileSync(join(stateDir, 'audit.jsonl'), tail);
    await expect(auditAnchor(printing(stateDir).context, {})).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNSAFE',
      message: `"${join(stateDir, 'audit.jsonl')}" was not anchored: ${why}`,
      hint: 'capwrap audit verify',
    });
  });

  test('is not made where there is no log', async () => {
    await expect(auditAnchor(printing(tempDir()).context, {})).rejects.toMatchObject({
      code: 'ERR_AUDIT_UNSAFE',
    });
  });

  const TOOL = findTool('ssh-keygen');
  describe.skipIf(TOOL === null)(`with a signature${needs('ssh-keygen')}`, () => {
    let folder: string;
    let key: string;
    let publicKey: string;

    beforeAll(() => {
      folder = tempDir();
      for (const name of ['key', 'other'])
        execFileSync('ssh-keygen', [
          '-q',
          '-t',
          'ed25519',
          '-N',
          '',
          '-C',
          'alice',
          '-f',
          join(folder, name),
        ]);
      key = join(folder, 'key');
      publicKey = readFileSync(`${key}.pub`, 'utf8').trim();
    });

    /** The context of a test has no PATH by which ssh-keygen could be found. */
    async function signed(stateDir: string): Promise<string> {
      const { context, stdout } = printing(stateDir);
      const env = { ...context.ambient.env, PATH: process.env['PATH'] ?? '' };
      expect(await auditAnchor({ ...context, ambient: { ...context.ambient, env } }, { key })).toBe(0);
      return stdout();
    }

    test('is trusted by a key that is named, as a line or a file, or that is an approver’s', async () => {
      const { stateDir, file } = world();
      const anchor = file('anchor', await signed(stateDir));
      for (const named of [publicKey, `${key}.pub`]) {
        const { status, text, anchors } = await verify(stateDir, [anchor], [named]);
        expect(status).toBe(0);
        expect(text).toContain('(ssh_key), trusted: named by --anchor-key\n');
        expect(text).toContain('vouched for by a trusted signature: up to seq=7');
        expect(anchors.vouched).toMatchObject({ seq: 7, ok: true });
      }
      const { context, stdout } = printing(stateDir);
      const admin = { ...context.admin, approvers: [{ name: 'alice', keys: [publicKey], actors: [] }] };
      expect(await auditVerify({ ...context, admin }, { anchor: [anchor] })).toBe(0);
      expect(stdout()).toContain('trusted: approver alice');
    });

    test('of an unknown key is good and no more than that', async () => {
      const { stateDir, file } = world();
      const anchor = file('anchor', await signed(stateDir));
      const unnamed = await verify(stateDir, [anchor]);
      expect(unnamed.status).toBe(0);
      expect(unnamed.text).toContain('(ssh_key), a key that is not known here');
      expect(unnamed.anchors.vouched).toBeNull();
      const { status, text } = await verify(stateDir, [anchor], [`${join(folder, 'other')}.pub`]);
      expect(status).toBe(1);
      expect(text).toContain('no anchor that fits is signed by a key that is trusted here');
    });

    test('can’t be had by leaving the signature out', async () => {
      const { stateDir, file } = world();
      const { signature: _, ...rest } = JSON.parse(await signed(stateDir));
      const { status } = await verify(stateDir, [file('anchor', `${JSON.stringify(rest)}\n`)], [publicKey]);
      expect(status).toBe(1);
    });

    test('made by hand beside the file counts, for exactly that file', async () => {
      const { stateDir, file } = world();
      const anchor = file('anchor', (await anchorOf(stateDir)).text);
      execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'capwrap-audit', '-f', key, anchor], {
        stdio: 'ignore',
      });
      expect((await verify(stateDir, [anchor], [publicKey])).status).toBe(0);
      appendFileSync(anchor, '\n');
      const { status, text } = await verify(stateDir, [anchor], [publicKey]);
      expect(status).toBe(1);
      expect(text).toContain(
        'bad signature: the file that it is beside holds more than one anchor, or a changed one',
      );
    });

    test.each<[string, (line: string) => string, string]>([
      ['another time', (line) => line.replace(/"time":"20/, '"time":"21'), "didn't sign this message"],
      ['another count', (line) => line.replace('"records":7', '"records":8'), "didn't sign this message"],
      [
        'another seq in one of two places',
        (line) => line.replace('"seq":7', '"seq":6'),
        'it is no anchor as capwrap audit anchor prints it',
      ],
      [
        'a field more',
        (line) =>
          line
            .replace('{', '{"x":1,')
            .replace('{"x":1,"capwrap_audit_anchor":1', '{"capwrap_audit_anchor":1,"x":1'),
        'it is no anchor as',
      ],
      [
        'a damaged signature',
        (line) => line.replace('SIGNATURE-----\\nU1NI', 'SIGNATURE-----\\nU1NJ'),
        'it is not an SSH signature inside',
      ],
      [
        'a signature that is none',
        (line) => line.replace(/"signature":".*"/, '"signature":"x"'),
        "it doesn't start with",
      ],
    ])('with %s is bad', async (_name, change, why) => {
      const { stateDir, file } = world();
      const line = await signed(stateDir);
      const changed = change(line);
      expect(changed).not.toBe(line);
      const { status, text, anchors } = await verify(stateDir, [file('anchor', changed)]);
      expect(status).toBe(1);
      expect(anchors.bad_signatures).toBe(1);
      expect(text).toContain(why);
    });

    test('for another purpose is bad', async () => {
      const { stateDir, file } = world();
      const anchor = file('anchor', (await anchorOf(stateDir)).text);
      execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'file', '-f', key, anchor], { stdio: 'ignore' });
      const { status, text } = await verify(stateDir, [anchor]);
      expect(status).toBe(1);
      expect(text).toContain('"file" is the signature\'s namespace, not capwrap-audit');
    });

    test('that was formatted anew is not passed over in silence', async () => {
      const { stateDir, file } = world();
      const pretty = JSON.stringify(JSON.parse(await signed(stateDir)), null, 2);
      const { status, text } = await verify(stateDir, [file('anchor', pretty)]);
      expect(status).toBe(1);
      expect(text).toContain('not checked: 1 signature outside an anchor on one line');
    });
  });
});

describe('what can’t be read', () => {
  test.each<[string, (w: World) => string, string]>([
    ['a file that is missing', () => '/nonexistent/heads', '"/nonexistent/heads" can\'t be read (ENOENT)'],
    ['a folder', ({ stateDir }) => stateDir, "can't be read (EISDIR)"],
    [
      'a cut gzip file',
      ({ file, head }) => file('x.gz', gzipSync(head(7)).subarray(0, 40)),
      'is damaged (Z_BUF_ERROR)',
    ],
    [
      'a damaged gzip file',
      ({ file }) => file('x.gz', Buffer.from([0x1f, 0x8b, 9, 9, 9])),
      'is damaged (Z_DATA_ERROR)',
    ],
  ])('is an error: %s', async (_name, make, why) => {
    const here = world();
    await expect(
      auditVerify(printing(here.stateDir).context, { anchor: [make(here)] }),
    ).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringContaining(why),
    });
  });

  test.each<[string, string, string]>([
    ['a key without an anchor', 'ssh-ed25519 AAAA', '"--anchor-key" is for anchors, and none is given'],
  ])('%s', async (_name, key, message) => {
    const { stateDir } = world();
    await expect(auditVerify(printing(stateDir).context, { anchorKey: [key] })).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message,
    });
  });

  test.each<[string, string]>([
    ['ssh-ed25519 AAAA', 'is cut short'],
    ['/nonexistent', "can't be read (ENOENT)"],
    ['/dev/null', "can't be read (ENOTSUP)"],
  ])('the key %s', async (key, why) => {
    const { stateDir, file, head } = world();
    const anchor = [file('heads', head(7))];
    await expect(auditVerify(printing(stateDir).context, { anchor, anchorKey: [key] })).rejects.toMatchObject(
      {
        code: 'ERR_USAGE',
        message: `"--anchor-key ${key}" ${why}`,
      },
    );
  });
});
