/** Cleaning up after the test that is running. */
import { onTestFinished } from 'vitest';

/**
 * Has `clean` called when the running test has ended. (A hook of a helper module would be one of the first file that
 * imports it: the files of a worker share their modules.) Outside a test, where something is made for a whole file, that
 * is when the worker ends; returns false then, for callers that want to clean up earlier.
 */
export function afterTest(clean: () => void | Promise<void>): boolean {
  try {
    onTestFinished(clean);
    return true;
  } catch {
    if (atExit.length === 0) process.once('exit', () => atExit.forEach((last) => void last()));
    atExit.push(clean);
    return false;
  }
}

const atExit: (() => void | Promise<void>)[] = [];
