/** A browser without a window, for what only shows in one. */
import { accessSync, constants } from 'node:fs';

const PLACES = [
  process.env['CAPWRAP_TEST_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The program; undefined where this machine has none. */
export const CHROMIUM = PLACES.find((path) => path !== undefined && isExecutable(path));

/** It asks nobody for anything. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
