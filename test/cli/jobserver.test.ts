/** make's jobserver through the built CLI, by a pipe as GNU make 4.0 to 4.3 hand it on. (make itself: test/matrix.) */
import { describe, expect, test } from 'vitest';
import { LOCAL_MAP } from '../helpers/workspace.ts';
import { line, NOT_LINUX, startPiped, useGround, WAYS } from '../matrix/ground.ts';

const ground = useGround(
  `${LOCAL_MAP}${LOCAL_MAP.split('capabilities:\n')[1]
    ?.replace('  local:', '  own:')
    .replace('inject:', 'env: {set: {MAKEFLAGS: -s}}\n    inject:')}`,
);

/**
 * A shell with a pipe on descriptors 3 and 4 in which two tokens are, as a make with three jobs leaves it to a recipe;
 * it runs capwrap with `body` for a child, and then shows what is left in the pipe. `how`: redirections for capwrap.
 */
async function recipe(
  makeflags: string,
  body: string,
  how = '',
  capability = 'local',
  more: readonly string[] = [],
) {
  const { folder, shellEnv, fresh } = ground();
  const pipe = fresh('pipe');
  const words = WAYS['under capwrap'](['/bin/sh', '-c', body, 'sh', ...more]).map((word) =>
    word === 'local' ? capability : word,
  );
  const flags = 'grep flags /proc/$$/fdinfo/3 /proc/$$/fdinfo/4 | tr "\\n" " "';
  const script = `mkfifo ${pipe}; exec 3<>${pipe} 4>${pipe}; printf ++ >&4
    before=$(${flags}); ${line(words)} ${how}; echo "status $?"
    [ "$before" = "$(${flags})" ] || echo "the descriptors are not as they were"
    printf . >&4; while c=$(dd bs=1 count=1 <&3 2>/dev/null) && [ "$c" != . ]; do printf %s "$c"; done; echo`;
  const run = startPiped(['/bin/sh', '-c', script], {
    cwd: folder,
    env: { ...shellEnv, MAKEFLAGS: makeflags, MFLAGS: '-j3', MAKELEVEL: '1' },
  });
  await run.ended;
  return { out: run.out(), err: run.err() };
}

const SHOW = 'echo "[$MAKEFLAGS] [$MFLAGS$MAKELEVEL]"';
/** The numbers below 10: above, a shell keeps its own. */
const LIST = 'for fd in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$fd ] && printf "%s " $fd; done; echo';

describe.skipIf(NOT_LINUX)('a jobserver on descriptors', () => {
  test('reaches the child under the same numbers, and nothing else of MAKEFLAGS or of capwrap does', async () => {
    const flags = 'kw -j3 --jobserver-auth=3,4 --eval=swordfish -- SECRET=swordfish';
    const { out, err } = await recipe(flags, `${SHOW}; ${LIST}`);
    expect(err).toBe('');
    expect(out).toBe('[ -j3 --jobserver-auth=3,4] []\n3 4 \nstatus 0\n++\n');
  });

  test('works: a token is taken and given back', async () => {
    const body = 'token=$(dd bs=1 count=1 <&3 2>/dev/null); echo "took $token"; printf - >&4; exit 3';
    const { out } = await recipe(' -j3 --jobserver-fds=3,4 -j', body);
    expect(out).toBe('took +\nstatus 3\n+-\n');
  });

  test.each([
    ['both', '3<&- 4>&-'],
    ['one of them', '4>&-'],
    ['a file in the place of one', '4>/dev/null'],
  ])('that the recipe was not handed is no secret way to capwrap’s own: %s', async (_, how) => {
    const { out, err } = await recipe(' -j3 --jobserver-auth=3,4', `${SHOW}; ${LIST}`, how);
    expect(err).toBe('');
    expect(out).toBe('[] []\n\nstatus 0\n++\n');
  });

  test('leaves MAKEFLAGS to the map where that sets it', async () => {
    const { out } = await recipe(' -j3 --jobserver-auth=3,4', SHOW, '', 'own');
    expect(out).toBe('[-s] []\nstatus 0\n++\n');
  });

  test('is there beside a descriptor that the command names', async () => {
    const names = ['/dev/fd/7', '/dev/fd/8'];
    const { out } = await recipe(' -j3 --jobserver-auth=3,4', LIST, '7</dev/null', 'local', names);
    expect(out).toBe('3 4 7 \nstatus 0\n++\n');
  });
});
